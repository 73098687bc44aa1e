import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { readCredential } from "./credential.ts";

const codeOf = (header: string | undefined) => {
	const found = readCredential(header);
	return found.ok ? "read" : found.problem.code;
};

test("the scheme's name may be written in any case, and spaces around the token do not count", () => {
	for (const header of ["Bearer abc", "bearer abc", "BEARER   abc  "]) {
		assert.deepEqual(readCredential(header), {
			ok: true,
			value: { scheme: "bearer", token: "abc" },
		});
	}
	assert.deepEqual(readCredential("DPoP a.b.c="), {
		ok: true,
		value: { scheme: "dpop", token: "a.b.c=" },
	});
});

test("what is no credential is told from none at all", () => {
	assert.equal(codeOf(undefined), "credential_missing");
	for (const header of [
		"",
		"Bearer",
		"Bearer ",
		"Basic YTpi",
		"Bearer a b",
		"Bearer a, Bearer b",
		"Bearer a\tb",
		'Bearer "a"',
		"Bearer a=b",
		"Bearer ä",
		" Bearer a",
		"DPoPa",
		"Digest username=a",
		`Bearer ${"a".repeat(20_000)}`,
	]) {
		assert.equal(codeOf(header), "credential_malformed", header.slice(0, 40));
	}
});

test("every header is read or refused", () => {
	fc.assert(
		fc.property(fc.string(), (text) => {
			assert.match(codeOf(text), /^(read|credential_malformed)$/);
			assert.match(codeOf(`Bearer ${text}`), /^(read|credential_malformed)$/);
		}),
	);
});
