import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { micros } from "../line-text.ts";
import { ascii, LineWriter } from "./line-writer.ts";

function written(write: (to: LineWriter) => void): string {
	const bytes = Buffer.alloc(256, "#");
	const writer = new LineWriter(bytes, 3);
	write(writer);
	assert.equal(bytes.toString("latin1", 0, 3), "###");
	assert.equal(bytes[writer.at], "#".charCodeAt(0));
	return bytes.toString("latin1", 3, writer.at);
}

const numbers = fc.oneof(
	fc.integer({ min: 0, max: 2_000 }),
	fc.maxSafeInteger(),
	fc.double({ noNaN: true, noDefaultInfinity: true }),
	fc.constantFrom(0, 9, 10, 99, 100, 999, 1_000, 2 ** 53 - 1),
);

test("a number is written as JSON has it", () => {
	const property = fc.property(numbers, (value) => {
		// JSON knows no zero below zero.
		assert.equal(Number(written((to) => to.number(value))), value + 0);
		if (Number.isSafeInteger(value) && value >= 0) {
			assert.equal(
				written((to) => to.number(value)),
				JSON.stringify(value),
			);
		}
	});
	fc.assert(property);
});

test("a duration is written to the microsecond, without zeros behind it", () => {
	const durations = fc.oneof(fc.double({ min: 0, max: 1e12, noNaN: true }), numbers);
	const property = fc.property(durations, (duration_ms) => {
		const text = written((to) => to.micros(duration_ms));
		assert.equal(Number(text), micros(duration_ms) + 0);
		assert.equal(text, String(micros(duration_ms)));
	});
	fc.assert(property);
	for (const text of ["0", "1.5", "0.02", "0.001", "12.346", "999999999.9"]) {
		assert.equal(
			written((to) => to.micros(Number(text))),
			text,
		);
	}
});

test("bytes are copied as they are, few or many", () => {
	for (const length of [0, 1, 48, 49, 200]) {
		const text = "x".repeat(length);
		assert.equal(
			written((to) => to.bytes(ascii(text))),
			text,
		);
		assert.equal(
			written((to) => to.part(ascii(`<${text}>`), 1, length + 1)),
			text,
		);
	}
});
