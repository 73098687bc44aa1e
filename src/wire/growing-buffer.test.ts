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

test("pieces that are nobody else's are empty once they are copied, and no byte is lost", () => {
	fc.assert(
		fc.property(fc.array(fc.tuple(fc.nat(60_000), fc.boolean()), { maxLength: 12 }), (parts) => {
			const buffer = new GrowingBuffer();
			const pieces = parts.map(([length, is_ours], at) => {
				const bytes = Buffer.alloc(length, at + 1);
				return { bytes, is_ours, was: Buffer.from(bytes) };
			});
			for (const { bytes, is_ours } of pieces) buffer.append(bytes, is_ours);
			const taken = buffer.take();
			assert.deepEqual(taken, Buffer.concat(pieces.map(({ was }) => was)));
			for (const { bytes, is_ours, was } of pieces) {
				if (is_ours && pieces.length > 1) continue;
				assert.deepEqual(bytes, was);
			}
		}),
	);
	const buffer = new GrowingBuffer();
	const [first, second] = [Buffer.alloc(20_000, 1), Buffer.alloc(20_000, 2)];
	const shared = Buffer.alloc(40_000, 3).subarray(0, 20_000);
	for (const piece of [first, second, shared]) buffer.append(piece, true);
	assert.deepEqual([first.length, second.length, shared.length], [0, 0, 20_000]);
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
