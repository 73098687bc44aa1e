import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { ProtoWriter } from "./proto-writer.ts";

const nanos_per_ms = 1_000_000;

test("any time from 1970 on is written as its nanoseconds", () => {
	fc.assert(
		fc.property(fc.nat(2 ** 43), fc.nat(nanos_per_ms - 1), (whole_ms, rest_ns) => {
			// What a number has of the fraction, as 53 bits leave it.
			const time_ms = whole_ms + rest_ns / nanos_per_ms;
			const kept_ns = Math.floor((time_ms - Math.floor(time_ms)) * nanos_per_ms);
			const expected = BigInt(Math.floor(time_ms)) * BigInt(nanos_per_ms) + BigInt(kept_ns);
			const bytes = new ProtoWriter().nanos(1, time_ms).finish();
			assert.equal(bytes.length, 9);
			assert.equal(bytes.readBigUInt64LE(1), expected);
		}),
	);
});

test("hex digits of either case are written as the bytes they stand for", () => {
	fc.assert(
		fc.property(fc.uint8Array({ maxLength: 40 }), fc.boolean(), (given, is_upper) => {
			const digits = Buffer.from(given).toString("hex");
			const bytes = new ProtoWriter().hex(1, is_upper ? digits.toUpperCase() : digits).finish();
			assert.deepEqual([...bytes.subarray(2)], [...given]);
		}),
	);
});

test("fields that were written before are written again as they are, wherever they fall", () => {
	const some = new ProtoWriter().textPair(9, "key", "välue").finish();
	for (const before of [0, 4_080, 9_000]) {
		const text = "x".repeat(before);
		const whole = new ProtoWriter().text(1, text).textPair(9, "key", "välue").finish();
		assert.deepEqual(new ProtoWriter().text(1, text).raw(some).finish(), whole);
	}
});

test("messages of every length within others have the length that they have", () => {
	for (const length of [0, 1, 127, 128, 16_383, 16_384, 300_000]) {
		const text = "y".repeat(length);
		const inner = new ProtoWriter().text(1, text).finish();
		const outer = new ProtoWriter().message(2, (out) => out.text(1, text)).finish();
		assert.deepEqual(outer.subarray(outer.length - inner.length), inner);
		let at = 1;
		let written = 0;
		for (let shift = 0; ; shift += 7, at += 1) {
			written += ((outer[at] ?? 0) & 0x7f) * 2 ** shift;
			if (((outer[at] ?? 0) & 0x80) === 0) break;
		}
		assert.equal(written, inner.length);
		assert.equal(at + 1 + inner.length, outer.length);
	}
});
