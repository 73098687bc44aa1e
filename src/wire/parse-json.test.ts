import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { object_text, parseJsonText, value_text } from "../../test/support/json-text.ts";
import { parseJson } from "./parse-json.ts";

function parse(text: string): unknown {
	const bytes = Buffer.from(`["\\n",${text},"\\\\"]`);
	return parseJson(bytes, { start: 6, end: bytes.length - 6 });
}

test("any JSON parses to what an independent parser makes of it", () => {
	fc.assert(
		fc.property(fc.oneof(value_text, object_text), (text) => {
			assert.deepEqual(parse(text), parseJsonText(text));
		}),
		{ numRuns: 1000 },
	);
});

test("a key with an escape is never taken for a key that somebody sent before", () => {
	assert.deepEqual(parse('{"x":1,"\\\\":0}'), { x: 1, "\\": 0 });
	for (const key of ["\\u0070ath", "\\n", '\\"', "\\\\n", "\\/"]) {
		const decoded = JSON.parse(`"${key}"`) as string;
		assert.deepEqual(parse(`{"x":1,"${key}":"/etc"}`), { x: 1, [decoded]: "/etc" });
		assert.deepEqual(parse(`[{"x":1 , "${key}" : []}]`), [{ x: 1, [decoded]: [] }]);
	}
});

test("escaped keys are found behind any text, and text with escapes is not one", () => {
	parse('{"x":1,"\\\\":0}');
	assert.deepEqual(parse('{"x":"a\\\\\\"b:","\\u0061":[1,-2.50,true,null,{"y":{}}]}'), {
		x: 'a\\"b:',
		a: [1, -2.5, true, null, { y: {} }],
	});
	assert.deepEqual(parse('["\\u0061",":",{"x":"\\":"}]'), ["a", ":", { x: '":' }]);
});

test("__proto__ is a key like any other, and of equal keys the last counts", () => {
	const parsed = parse('{"__pr\\u006fto__":{"a":1},"b":1,"\\u0062":2}') as object;
	assert.equal(Object.getPrototypeOf(parsed), Object.prototype);
	assert.deepEqual(Object.entries(parsed), [
		["__proto__", { a: 1 }],
		["b", 2],
	]);
});

test("a value nested as deep as a message may be is parsed with escaped keys too", () => {
	const text = `${'{"\\u0061":'.repeat(127)}[]${"}".repeat(127)}`;
	assert.deepEqual(parse(text), parseJsonText(text));
});
