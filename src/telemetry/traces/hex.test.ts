import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { hexDigit, hexNumber, idsOfUuid } from "./hex.ts";

test("digits of an id are the number that parsing them gives, and back", () => {
	const digits = fc.stringMatching(/^[0-9a-f]{1,7}$/);
	fc.assert(
		fc.property(digits, (text) => {
			assert.equal(hexNumber(`ff${text}ff`, 2, 2 + text.length), Number.parseInt(text, 16));
		}),
	);
	for (let value = 0; value < 16; value += 1) {
		assert.equal(hexNumber(hexDigit(value), 0, 1), value);
	}
});

test("a trace that begins with a call has the digits of its id, the span the last of them", () => {
	const ids = fc.oneof(fc.uuid(), fc.string({ maxLength: 35 }));
	fc.assert(
		fc.property(ids, (id) => {
			const trace_id = id.replaceAll("-", "");
			assert.deepEqual(idsOfUuid(id), { trace_id, span_id: trace_id.slice(16) });
		}),
	);
});
