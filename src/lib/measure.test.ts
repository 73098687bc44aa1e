import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { fits, measure, measureAtMost } from "./measure.ts";

test("a value is measured by its values, its longest text and its levels", () => {
	assert.deepEqual(measure(1), { items: 1, chars: 0, depth: 1 });
	assert.deepEqual(measure({ name: ["ab", "c"] }), { items: 4, chars: 4, depth: 3 });
	assert.deepEqual(measure(null), { items: 1, chars: 0, depth: 1 });
	assert.deepEqual(measure(undefined), { items: 1, chars: 0, depth: 1 });
});

test("no nesting is too deep to be measured", () => {
	let value: unknown = 1;
	for (let level = 0; level < 100_000; level++) value = [value];
	assert.equal(measure(value).depth, 100_001);
});

test("a part is never larger than the whole", () => {
	fc.assert(
		fc.property(fc.jsonValue(), fc.jsonValue(), (one, other) => {
			const whole = measure([one, { other }]);
			assert.ok(fits(measure(one), whole));
			assert.ok(fits(measure(other), whole));
			assert.equal(whole.items, measure(one).items + measure(other).items + 2);
		}),
	);
});

test("what a text can measure at most is never less than what its value measures", () => {
	fc.assert(
		fc.property(fc.jsonValue(), fc.constantFrom(undefined, 1), (value, indent) => {
			const at_most = measureAtMost(JSON.stringify(value, undefined, indent));
			assert.ok(fits(measure(value), at_most));
		}),
	);
	assert.deepEqual(measureAtMost('{"a":["b"]}'), { items: 11, chars: 11, depth: 3 });
	assert.equal(measureAtMost("[".repeat(1_000)).depth, Number.POSITIVE_INFINITY);
});
