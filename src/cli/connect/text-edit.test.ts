import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { applyTextEdits, lineBreakOf, positionOf } from "./text-edit.ts";

test("edits are made in the order of their places, whatever order they come in", () => {
	const edits = [
		{ start: 4, end: 5, text: "" },
		{ start: 0, end: 1, text: "AA" },
		{ start: 2, end: 2, text: "-" },
	];
	assert.equal(applyTextEdits("abcdef", edits), "AAb-cdf");
	assert.equal(applyTextEdits("abcdef", edits.toReversed()), "AAb-cdf");
	assert.equal(applyTextEdits("abc", []), "abc");
});

test("an insertion comes before a replacement at the same place", () => {
	const edits = [
		{ start: 1, end: 2, text: "B" },
		{ start: 1, end: 1, text: "+" },
	];
	assert.equal(applyTextEdits("abc", edits), "a+Bc");
});

test("edits that overlap are a programmer's mistake", () => {
	const edits = [
		{ start: 0, end: 2, text: "" },
		{ start: 1, end: 3, text: "" },
	];
	assert.throws(() => applyTextEdits("abc", edits), /overlap/);
});

test("lines and columns count from 1, in every kind of text", () => {
	const text = "ab\ncd\r\n\té";
	const places = [
		[0, 1, 1],
		[2, 1, 3],
		[3, 2, 1],
		[7, 3, 1],
		[8, 3, 2],
		[9, 3, 3],
	] as const;
	for (const [offset, line, column] of places) {
		assert.deepEqual(positionOf(text, offset), { line, column });
	}
});

test("a position leads back to its offset", () => {
	fc.assert(
		fc.property(fc.array(fc.constantFrom("a", "\n", "é")), fc.nat(50), (chars, at) => {
			const text = chars.join("");
			const offset = Math.min(at, text.length);
			const { line, column } = positionOf(text, offset);
			const before = text.split("\n").slice(0, line - 1);
			const start = before.reduce((sum, one) => sum + one.length + 1, 0);
			assert.equal(start + column - 1, offset);
		}),
	);
});

test("the line break of a text is the one it uses", () => {
	assert.equal(lineBreakOf(""), "\n");
	assert.equal(lineBreakOf("a\nb"), "\n");
	assert.equal(lineBreakOf("a\r\nb\n"), "\r\n");
});
