import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { createTokenCheck } from "./auth.ts";

const isToken = createTokenCheck("moorage_admin_abc");

test("only the token itself opens, in the form of RFC 6750", () => {
	const headers = [
		["Bearer moorage_admin_abc", true],
		["bearer moorage_admin_abc", true],
		["Bearer   moorage_admin_abc  ", true],
		[undefined, false],
		["", false],
		["Bearer", false],
		["Bearer ", false],
		["moorage_admin_abc", false],
		["Bearer moorage_admin_ab", false],
		["Bearer moorage_admin_abcd", false],
		["Bearer Moorage_admin_abc", false],
		["Bearer moorage_admin_abc, Bearer x", false],
		["Bearer x moorage_admin_abc", false],
		['Bearer "moorage_admin_abc"', false],
		["Basic moorage_admin_abc", false],
		["Bearer\tmoorage_admin_abc", false],
	] as const;
	for (const [header, expected] of headers) assert.equal(isToken(header), expected, String(header));
});

test("no other text opens, whatever its length", () => {
	fc.assert(
		fc.property(fc.string({ unit: "binary" }), (text) => {
			assert.equal(isToken(text), false);
			assert.equal(isToken(`Bearer ${text}`), text.trim() === "moorage_admin_abc");
		}),
	);
});
