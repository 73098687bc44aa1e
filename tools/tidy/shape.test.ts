import assert from "node:assert/strict";
import { test } from "node:test";
import { parseSource } from "../lib/source.ts";
import { checkFileLength, checkFunctionLength, checkLineLength, checkName } from "./shape.ts";

const parse = (text: string) => parseSource("src/lib/a.ts", text);

test("names in kebab-case are fine, with any number of endings", () => {
	for (const name of [
		"src/lib/parent-watch.test.ts",
		"tools/run.mjs",
		".ci/run",
		".oxlintrc.json",
		"src/store/migrations/0001-initial.ts",
		"README.md",
		"LICENSE",
		"CODE-OF-CONDUCT.md",
	]) {
		assert.deepEqual(checkName(name), [], name);
	}
});

test("any other name is found, in folders too", () => {
	for (const name of [
		"src/lib/parentWatch.ts",
		"src/Lib/a.ts",
		"src/a_b.ts",
		"a b.md",
		"x--y.ts",
	]) {
		assert.equal(checkName(name).length, 1, name);
	}
	assert.equal(checkName("src/Lib/a.ts")[0]?.message, 'Name "Lib" in kebab-case.');
});

test("a file of 600 lines is fine, one of 601 is found", () => {
	assert.deepEqual(checkFileLength("x\n".repeat(600)), []);
	assert.equal(
		checkFileLength("x\n".repeat(601))[0]?.message,
		"601 lines; split what is over 600.",
	);
});

test("a line over 100 columns is found, a tab counts as two", () => {
	const line = (columns: number) => `\tf(${"a".repeat(columns - 6)});`;
	assert.deepEqual(checkLineLength(parse(`{\n${line(100)}\n}`)), []);
	assert.deepEqual(checkLineLength(parse(`{\n${line(101)}\n}`)), [
		{ line: 2, message: "101 columns; the limit is 100." },
	]);
	assert.equal(checkLineLength(parse(`// ${"word ".repeat(20)}`)).length, 1);
});

test("a string, an expression for text, or an address in a comment may be as long as it is", () => {
	const long = "x".repeat(120);
	for (const text of [`const a = "${long}";`, `const a = \`${long}\``, `const a = /${long}/;`]) {
		assert.deepEqual(checkLineLength(parse(text)), [], text);
	}
	assert.deepEqual(checkLineLength(parse(`// https://example.com/${long}`)), []);
});

test("a function of 70 lines is fine, a longer one is found, in every form", () => {
	const body = (lines: number) => `{\n${"\tcall();\n".repeat(lines - 2)}}`;
	assert.deepEqual(checkFunctionLength(parse(`function f() ${body(70)}`)), []);
	for (const text of [
		`function f() ${body(71)}`,
		`const f = () => ${body(71)}`,
		`class A { m() ${body(71)} }`,
	]) {
		const message = "This function has 71 lines; the limit is 70.";
		assert.deepEqual(checkFunctionLength(parse(text)), [{ line: 1, message }]);
	}
});
