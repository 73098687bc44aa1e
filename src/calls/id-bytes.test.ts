import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { endsWith, hexBytes, uuidBytes } from "./id-bytes.ts";

test("the bytes of a UUID are those of its digits, and nothing else is one", () => {
	const property = fc.property(
		fc.uuid(),
		fc.nat(35),
		fc.string({ unit: "grapheme" }),
		(id, n, x) => {
			assert.equal(Buffer.from(uuidBytes(id) ?? []).toString("hex"), id.replaceAll("-", ""));
			const other = id.slice(0, n) + x + id.slice(n + 1);
			const is_one = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(other);
			assert.equal(uuidBytes(other) !== undefined, is_one, other);
		},
	);
	fc.assert(property);
	assert.equal(uuidBytes("no-uuid"), undefined);
	assert.equal(uuidBytes("é".repeat(36)), undefined);
});

test("hex digits are read as the bytes that they stand for, and nothing else is", () => {
	const property = fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
		assert.deepEqual([...(hexBytes(Buffer.from(bytes).toString("hex")) ?? [1])], [...bytes]);
	});
	fc.assert(property);
	for (const text of ["0", "0G", "AB", "é0", "0\u0130"])
		assert.equal(hexBytes(text), undefined, text);
});

test("digits are told at the end of a UUID, hyphens or not", () => {
	const property = fc.property(fc.uuid(), fc.nat(32), fc.nat(31), (id, length, at) => {
		const hex = id.replaceAll("-", "");
		const end = hex.slice(32 - length);
		assert.equal(endsWith(id, end), true);
		if (at >= length) return;
		const other = end.slice(0, at) + (end[at] === "0" ? "1" : "0") + end.slice(at + 1);
		assert.equal(endsWith(id, other), false);
	});
	fc.assert(property);
	assert.equal(endsWith("", "ab"), false);
});
