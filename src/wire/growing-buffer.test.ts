import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { GrowingBuffer } from "./growing-buffer.ts";

test("what was appended is taken as one, and then it is empty", () => {
	fc.assert(
		fc.property(fc.array(fc.array(fc.uint8Array({ maxLength: 3000 }))), (rounds) => {
			const buffer = new GrowingBuffer();
			for (const pieces of rounds) {
				for (const piece of pieces) buffer.append(Buffer.from(piece));
				const expected = Buffer.concat(pieces);
				assert.equal(buffer.length, expected.length);
				assert.deepEqual(buffer.take(), expected);
				assert.equal(buffer.length, 0);
			}
		}),
	);
});

test("a single piece is given back without a copy", () => {
	const buffer = new GrowingBuffer();
	const piece = Buffer.from("alone");
	buffer.append(piece);
	const taken = buffer.take();
	assert.equal(taken.buffer, piece.buffer);
	assert.equal(taken.byteOffset, piece.byteOffset);
});

test("pieces of others are never written to, nor what was taken", () => {
	const buffer = new GrowingBuffer();
	const memory = Buffer.from("first|untouched");
	buffer.append(memory.subarray(0, 5));
	buffer.append(Buffer.from("second"));
	assert.equal(memory.toString(), "first|untouched");
	const taken = buffer.take();
	buffer.append(Buffer.from("x"));
	buffer.append(Buffer.from("y"));
	assert.equal(taken.toString(), "firstsecond");
});

test("clearing forgets", () => {
	const buffer = new GrowingBuffer();
	buffer.append(Buffer.from("gone"));
	buffer.clear();
	assert.equal(buffer.length, 0);
	assert.equal(buffer.take().length, 0);
});

test("a whole of a million single bytes costs little more memory than itself", () => {
	const buffer = new GrowingBuffer();
	const piece = Buffer.from("x");
	for (let count = 0; count < 1_000_000; count++) buffer.append(piece);
	const taken = buffer.take();
	assert.equal(taken.length, 1_000_000);
	assert.ok(taken.buffer.byteLength <= 2_000_000);
});
