import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { targetOf } from "./sign-in-target.ts";

test("people are led on to the pages that links of ours name", () => {
	for (const page of [
		"/",
		"/#/calls?tool=refund",
		"/approvals/appr_1x",
		"/oauth/connect/notes?for=acme%2Fana",
		"/sign-in/done",
	]) {
		assert.equal(targetOf(page), page);
	}
});

test("whatever else an address names leads to the dashboard", () => {
	for (const named of [
		undefined,
		null,
		"",
		"approvals/appr_1",
		"https://evil.example/",
		"//evil.example/",
		"///evil.example/approvals/x",
		"/\\evil.example/",
		"/\t/evil.example/",
		"\t//evil.example/",
		"/%5cevil.example/../approvals",
		"/approvals/../api/session",
		"/approvals/..//evil.example",
		"/approvals/x/../../..//evil.example/",
		"/api/session",
		"/echo/mcp",
		"/oauth/authorize?client_id=x",
		"/sign-in?to=/",
		"javascript:alert(1)",
		"/approvals/\u202eappr_1",
		`/approvals/${"x".repeat(2_000)}`,
	]) {
		assert.equal(targetOf(named), "/", String(named));
	}
});

test("nothing leads away, whatever it is", () => {
	const piece = fc.constantFrom(
		"/",
		"\\",
		"//",
		"evil.example",
		"approvals/",
		"..",
		"#/",
		"?",
		"@",
		"%2f",
		"\t",
		"x",
	);
	const text = fc.oneof(
		fc.string(),
		fc.webUrl(),
		fc.array(piece).map((pieces) => pieces.join("")),
	);
	fc.assert(
		fc.property(text, (named) => {
			const target = targetOf(named);
			const led = new URL(target, "https://gateway.example/sign-in");
			assert.equal(led.origin, "https://gateway.example");
			assert.match(led.pathname, /^\/($|approvals\/|oauth\/connect(\/|$)|sign-in\/done$)/);
		}),
	);
});
