import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import {
	damage,
	damaged,
	object_text,
	parseStrictly,
	string_text,
	value_text,
} from "../../test/support/json-text.ts";
import {
	depth_max,
	failedAt,
	failureOffset,
	skipSpace,
	skipString,
	skipValue,
	too_deep,
} from "./scan.ts";

/** Whether the scanner takes all of the text as one value, whitespace around it allowed. */
function accepts(bytes: Buffer): boolean {
	const at = skipValue(bytes, 0, bytes.length, depth_max);
	return at >= 0 && skipSpace(bytes, at, bytes.length) === bytes.length;
}

function parses(text: string): boolean {
	return parseStrictly(Buffer.from(text)) !== undefined;
}

const valid = [
	["0", "-0", "1", "-12", "1.0", "0.5e10", "1E-2", "1e+2", "123456789012345678901234567890"],
	["true", "false", "null", '""', '"a"', '"\\"\\\\\\/\\b\\f\\n\\r\\t"', '"\\u00e4\\uD800"'],
	["[]", "{}", "[ ]", "{ }", "[1,[],{}]", '{"a":{"b":[]},"a":1}', '"\u007f"'],
	[' \t\r\n{ "a" : [ 1 , 2 ] } '],
].flat();

const invalid = [
	["", " ", "-", "+1", "01", "-01", "1.", ".5", "1e", "1e+", "0x1", "1.e1", "NaN", "1 2", "--1"],
	["tru", "True", "nul", "nulll", "falsy", "t", "Infinity", "undefined"],
	['"', '"a', '"\\"', '"\\x"', '"\\u12"', '"\\u12g4"', '"\\', '"\n"', '"\0"', '"\u001f"', "'a'"],
	["[", "]", "[1", "[1,", "[1,]", "[,1]", "[1 2]", "[1}", "[1:2]", "[[]", "[]]"],
	["{", "}", '{"a"', '{"a":', '{"a":1', '{"a":1,', '{"a":1,}', "{,}", "{1:2}", '{"a" 1}'],
	['{"a":1]', '{"a":1 "b":2}', '{"a",1}', "{a:1}", '{"a"::1}', '{"a":}', '{"a":1}}', '{"a"}'],
	["{1}", '{"a":1,2}', "{[]}", "{{}}", "{true}", '{"a":1,{}}', '{"a":1,"b"}', '["a":1]'],
	["\ufeff1", "\u00a01", "\u000b1", "\f1", "1//", "/**/1", '[1,"a]'],
].flat();

test("every form of a JSON value is accepted to its last byte", () => {
	for (const text of valid) {
		assert.ok(parses(text), `JSON.parse takes ${JSON.stringify(text)}`);
		assert.ok(accepts(Buffer.from(text)), `the scanner takes ${JSON.stringify(text)}`);
	}
});

test("what JSON does not allow is refused", () => {
	for (const text of invalid) {
		assert.ok(!parses(text), `JSON.parse refuses ${JSON.stringify(text)}`);
		assert.ok(!accepts(Buffer.from(text)), `the scanner refuses ${JSON.stringify(text)}`);
	}
});

test("a failure carries the offset of the byte that cannot be", () => {
	for (const [text, offset] of [
		['{"a":tru3}', 8],
		["[1,]", 3],
		['{"a":01}', 6],
		['"a\nb"', 2],
		['"\\u00zz"', 5],
		["[1,2", 4],
		["", 0],
	] as const) {
		const bytes = Buffer.from(text);
		const at = skipValue(bytes, 0, bytes.length, depth_max);
		assert.ok(at < 0 && at !== too_deep, text);
		assert.equal(failureOffset(at), offset, text);
	}
	assert.equal(failureOffset(failedAt(0)), 0);
	assert.notEqual(failedAt(0), too_deep);
});

test("the scan does not look past the end it is given", () => {
	const bytes = Buffer.from('"ab"12345true');
	assert.equal(skipValue(bytes, 4, 6, depth_max), 6);
	assert.ok(skipValue(bytes, 0, 3, depth_max) < 0);
	assert.ok(skipString(bytes, 1, 3) < 0);
	assert.ok(skipValue(bytes, 9, 12, depth_max) < 0);
	assert.equal(skipSpace(Buffer.from("   x"), 0, 2), 2);
});

test("containers may be nested to the limit and no deeper", () => {
	for (const [open, close] of [
		["[", "]"],
		['{"a":', "}"],
	] as const) {
		const nested = (depth: number) => {
			const bytes = Buffer.from(`${open.repeat(depth)}1${close.repeat(depth)}`);
			return skipValue(bytes, 0, bytes.length, depth_max);
		};
		assert.ok(nested(depth_max) > 0);
		assert.equal(nested(depth_max + 1), too_deep);
		assert.equal(nested(100_000), too_deep);
	}
	const wide = Buffer.from(`[${"[[]],".repeat(1000)}[]]`);
	assert.equal(skipValue(wide, 0, wide.length, 3), wide.length);
	assert.equal(skipValue(wide, 0, wide.length, 2), too_deep);
});

test("in a long string every byte is looked at, wherever it stands", () => {
	// Lengths around those where the scanner changes its step, at every alignment.
	for (let length = 250; length < 290; length++) {
		for (const [bad, outcome] of [
			["\\n", true],
			["\\x", false],
			["\u0000", false],
			["\u001f", false],
			[" ", true],
			["!#[]\u007f", true],
			["äÿ漢", true],
			['"', false],
		] as const) {
			const text = `"${"x".repeat(length)}${bad}${"y".repeat(40)}"`;
			const bytes = Buffer.concat([Buffer.alloc(length % 5), Buffer.from(text)]);
			const aligned = bytes.subarray(length % 5);
			assert.equal(accepts(aligned), outcome, `${JSON.stringify(bad)} behind ${length}`);
		}
	}
});

test("every byte value in a long string is judged as JSON.parse judges it", () => {
	for (let byte = 0; byte < 0x80; byte++) {
		const text = `"${"x".repeat(301)}${String.fromCharCode(byte)}${"y".repeat(9)}"`;
		assert.equal(accepts(Buffer.from(text)), parses(text), `byte ${byte}`);
	}
});

test("any JSON is accepted however it is written", () => {
	fc.assert(
		fc.property(fc.oneof(value_text, object_text), (text) => {
			assert.ok(accepts(Buffer.from(text)));
		}),
		{ numRuns: 500 },
	);
});

test("damaged JSON is accepted exactly where JSON.parse accepts it", () => {
	fc.assert(
		fc.property(
			fc.oneof(value_text, string_text, object_text),
			fc.array(damage, { minLength: 1, maxLength: 3 }),
			(text, damages) => {
				const bytes = damages.reduce(damaged, Buffer.from(text));
				// What UTF-8 forbids is not the scanner's business: letters take its place here.
				const decoded = bytes.toString();
				assert.equal(accepts(Buffer.from(decoded)), parses(decoded));
			},
		),
		{ numRuns: 2000 },
	);
});
