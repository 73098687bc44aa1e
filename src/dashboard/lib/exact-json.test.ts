import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { ExactNumber, losesNothing, numberOf, parseExact, stringifyExact } from "./exact-json.ts";

const exact = [
	...["12345678901234567890", "-9007199254740993", "1.0", "0.10", "1e400", "-0", "1E5"],
	"3.14159265358979323846264338327950288",
];

test("no digit of a number is lost, wherever it stands", () => {
	for (const text of exact) {
		for (const json of [text, `[${text}]`, `{"a":{"b":[1,${text},"x"]}}`]) {
			assert.equal(stringifyExact(parseExact(json)), json);
		}
		assert.ok(numberOf(text) instanceof ExactNumber, text);
	}
	assert.equal(numberOf("42"), 42);
	assert.equal(numberOf("0.5"), 0.5);
	for (const text of ["", "0x10", "+1", ".5", "01", "1_000", "NaN", "1."]) {
		assert.equal(numberOf(text), undefined, text);
	}
});

test("a number is as good as the nearest where only the way that it is written is lost", () => {
	const same = (text: string) => losesNothing(new ExactNumber(text));
	for (const text of ["1.50", "4.0", "1e1", "1E+2", "0.10", "-0", "0.0", "1e21"]) {
		assert.equal(same(text), true, text);
	}
	for (const text of [
		"12345678901234567890",
		"-9007199254740993",
		"1e400",
		"0.10000000000000000001",
	]) {
		assert.equal(same(text), false, text);
	}
	fc.assert(
		fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (value) =>
			same(String(value)),
		),
	);
});

test("digits within texts and names are left alone", () => {
	const json = '{"12345678901234567890":"98765432109876543210","\\"1.0\\"":"{[1.0,"}';
	assert.deepEqual(parseExact(json), JSON.parse(json));
	assert.equal(stringifyExact(parseExact(json)), json);
	const names = '{"__proto__":{"a":1.0},"constructor":1.50}';
	assert.equal(stringifyExact(parseExact(names)), names);
});

test("whoever needs a number gets the nearest", () => {
	assert.equal(JSON.stringify({ a: parseExact("1.50") }), '{"a":1.5}');
	assert.equal(String(parseExact("12345678901234567890")), "12345678901234567890");
});

test("what is no JSON throws, and what is nested deep is read all the same", () => {
	for (const text of ["", "{", "[1.0,]", "01.0", '{"a":1.0 "b":2}', "1.0 2"]) {
		assert.throws(() => parseExact(text), SyntaxError, text);
	}
	const deep = `${"[".repeat(100_000)}1.0${"]".repeat(100_000)}`;
	assert.ok(Array.isArray(parseExact(deep)));
});

test("for any JSON it is what JSON.parse and JSON.stringify say, written the same way", () => {
	fc.assert(
		fc.property(fc.json(), (json) => {
			const value = JSON.parse(json) as unknown;
			assert.deepEqual(
				JSON.parse(JSON.stringify(parseExact(json))),
				JSON.parse(JSON.stringify(value)),
			);
			assert.equal(stringifyExact(value), JSON.stringify(value));
			assert.equal(stringifyExact(value, "  "), JSON.stringify(value, undefined, 2));
		}),
		{ numRuns: 300 },
	);
});
