import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { addressKind } from "../../lib/addresses.ts";
import { parseHostRule } from "./host-rules.ts";
import { type EgressRules, judge, type Verdict } from "./judge.ts";
import { parseAuthority } from "./target.ts";

function hosts(...texts: string[]): EgressRules {
	return { kind: "hosts", rules: texts.map((text) => parseHostRule(text)).filter(isThere) };
}

function isThere<Value>(value: Value | undefined): value is Value {
	return value !== undefined;
}

async function judged(
	rules: EgressRules,
	text: string,
	...addresses: string[]
): Promise<Verdict["kind"]> {
	const target = parseAuthority(text);
	assert.ok(target !== undefined);
	const verdict = await judge(rules, target, () => Promise.resolve(addresses));
	return verdict.kind;
}

test("a listed name that leads to a public address is allowed, with that address", async () => {
	const target = { host: "api.example.com", port: 443 };
	const found = await judge(hosts("api.example.com"), target, () => Promise.resolve(["8.8.8.8"]));
	assert.deepEqual(found, { kind: "allowed", addresses: ["8.8.8.8"] });
});

test("a name that is not listed is not looked up", async () => {
	const target = { host: "secret.evil.example", port: 443 };
	const verdict = await judge(hosts("api.example.com"), target, () => assert.fail("looked up"));
	assert.equal(verdict.kind, "unlisted");
});

test("every public host is allowed where the plan says so, and no other", async () => {
	const rules: EgressRules = { kind: "public" };
	assert.equal(await judged(rules, "a.example:443", "8.8.8.8"), "allowed");
	assert.equal(await judged(rules, "a.example:22", "2606:4700::1111"), "allowed");
	assert.equal(await judged(rules, "8.8.8.8:53"), "allowed");
	for (const address of [
		"127.0.0.1",
		"10.0.0.1",
		"169.254.169.254",
		"::ffff:127.0.0.1",
		"fd00::1",
	]) {
		assert.equal(await judged(rules, "a.example:443", address), "not-public", address);
	}
	assert.equal(await judged(rules, "localhost:80", "127.0.0.1"), "not-public");
	assert.equal(await judged(rules, "[::1]:80"), "not-public");
	assert.equal(await judged(rules, "0x7f000001:80"), "not-public");
});

test("one address that is not allowed refuses the name", async () => {
	const rules = hosts("api.example.com");
	assert.equal(await judged(rules, "api.example.com:443", "8.8.8.8", "10.0.0.1"), "not-public");
});

test("an address that is not public is allowed where it is listed itself", async () => {
	assert.equal(await judged(hosts("10.0.0.5:5432"), "10.0.0.5:5432"), "allowed");
	assert.equal(await judged(hosts("10.0.0.5:5432"), "10.0.0.5:22"), "unlisted");
	assert.equal(await judged(hosts("169.254.169.254"), "169.254.169.254:80"), "allowed");
	assert.equal(await judged(hosts("[::1]:8080"), "[::1]:8080"), "allowed");
});

test("a listed name leads to a private address only where that is listed as well", async () => {
	const name = "db.example.com:5432";
	assert.equal(await judged(hosts(name), name, "10.0.0.5"), "not-public");
	assert.equal(await judged(hosts(name, "10.0.0.5:5432"), name, "10.0.0.5"), "allowed");
	assert.equal(await judged(hosts(name, "10.0.0.5:22"), name, "10.0.0.5"), "not-public");
});

test("a name that nobody can register leads to this network, but not to its secrets", async () => {
	assert.equal(await judged(hosts("localhost:3000"), "localhost:3000", "127.0.0.1"), "allowed");
	assert.equal(await judged(hosts("db:5432"), "db:5432", "10.0.0.5"), "allowed");
	const metadata = "metadata.google.internal";
	assert.equal(await judged(hosts(metadata), `${metadata}:80`, "169.254.169.254"), "not-public");
	assert.equal(await judged(hosts("*.internal"), "db.internal:80", "10.0.0.5"), "not-public");
});

test("a name without an address, or whose lookup fails, is unknown", async () => {
	const rules: EgressRules = { kind: "public" };
	assert.equal(await judged(rules, "a.example:443"), "unknown-name");
	const target = { host: "a.example", port: 443 };
	const failing = await judge(rules, target, () => Promise.reject(new Error("no such name")));
	assert.equal(failing.kind, "unknown-name");
});

test("with no listed address nothing but public addresses is ever allowed", async () => {
	const address = fc.oneof(fc.ipV4(), fc.ipV6());
	const property = fc.asyncProperty(fc.array(address, { minLength: 1 }), async (addresses) => {
		for (const rules of [{ kind: "public" } as const, hosts("a.example", "*.example")]) {
			const target = { host: "a.example", port: 443 };
			const verdict = await judge(rules, target, () => Promise.resolve(addresses));
			if (verdict.kind !== "allowed") continue;
			for (const allowed of verdict.addresses) assert.equal(addressKind(allowed), "public");
			for (const found of addresses) assert.equal(addressKind(found), "public");
		}
	});
	await fc.assert(property);
});
