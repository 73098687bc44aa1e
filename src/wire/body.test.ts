import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { bodyLength, editedBody, wholeBody } from "./body.ts";
import type { Edit } from "./message.ts";
import { applyEdits } from "./splice.ts";

/** Edits that do not overlap, from cuts in order. */
const anyEdits = fc
	.array(fc.tuple(fc.nat(1000), fc.nat(20), fc.string({ maxLength: 6 })), { maxLength: 6 })
	.map((parts) => {
		const edits: Edit[] = [];
		let from = 0;
		for (const [skip, length, text] of parts) {
			const start = from + skip + 1;
			edits.push({ start, end: start + length, text });
			from = start + length;
		}
		return edits;
	});

test("a body in pieces has the same bytes as one in one piece", () => {
	fc.assert(
		fc.property(anyEdits, fc.boolean(), (edits, long) => {
			const bytes = Buffer.alloc(long ? 100_000 : 10_000, "abcdefg");
			const expected = applyEdits(bytes, edits);
			const body = editedBody(bytes, edits);
			assert.ok(wholeBody(body).equals(expected));
			assert.equal(bodyLength(body), expected.length);
		}),
	);
});

test("the pieces of a long body are views of its bytes, not copies", () => {
	const bytes = Buffer.alloc(1_000_000, "x");
	const body = editedBody(bytes, [{ start: 10, end: 12, text: "77" }]);
	assert.ok(!Buffer.isBuffer(body));
	const views = body.filter((piece) => piece.buffer === bytes.buffer);
	assert.equal(
		views.reduce((sum, piece) => sum + piece.length, 0),
		999_998,
	);
});

test("a long body without edits is itself", () => {
	const bytes = Buffer.alloc(1_000_000);
	assert.equal(editedBody(bytes, []), bytes);
});
