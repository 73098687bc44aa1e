import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { SeededRandom } from "../../test/support/seeded-random.ts";
import { type SortedForm, SortedForms } from "./sorted-forms.ts";

test("it is known of what a form goes on, whatever came and went", () => {
	const names = fc.string({ unit: fc.constantFrom("a", "b"), minLength: 1, maxLength: 6 });
	const steps = fc.array(fc.tuple(fc.boolean(), names), { maxLength: 80 });
	const property = fc.property(steps, names, (steps, asked) => {
		const forms = new SortedForms();
		const there: SortedForm[] = [];
		for (const [comes, name] of steps) {
			const known = there.findIndex(({ bytes }) => bytes.toString() === name);
			if (comes) there.push(forms.add(Buffer.from(name)));
			else if (known >= 0) {
				const [form] = there.splice(known, 1);
				const was_last = !there.some(({ bytes }) => bytes.toString() === name);
				assert.equal(form !== undefined && forms.remove(form), was_last);
			}
		}
		const texts = new Set(there.map(({ bytes }) => bytes.toString()));
		assert.equal(forms.size, texts.size);
		const goes_on = [...texts].some((text) => text !== asked && text.startsWith(asked));
		assert.equal(forms.begins(Buffer.from(`xx${asked}`), 2), goes_on);
	});
	fc.assert(property, { numRuns: 500 });
});

test("thousands of forms that begin alike stay in order, and leave nothing behind", () => {
	const random = new SeededRandom(5);
	const forms = new SortedForms();
	const added = Array.from({ length: 5_000 }, () =>
		forms.add(Buffer.from(`eyJhbGciOi${random.bytes(8).toString("hex")}`)),
	);
	assert.equal(forms.size, 5_000);
	for (const { bytes } of added) {
		assert.ok(forms.begins(bytes.subarray(0, 20), 0));
		assert.ok(!forms.begins(bytes, 0), "it ends there");
	}
	for (const form of added) assert.ok(forms.remove(form));
	assert.equal(forms.size, 0);
	assert.ok(!forms.begins(Buffer.from("eyJ"), 0));
});
