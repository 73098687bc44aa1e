import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { isLocalName } from "../../lib/addresses.ts";
import { matchesRule, parseHostRule, ruleFor } from "./host-rules.ts";
import { canonicalHost, parseAuthority } from "./target.ts";

function allows(rule: string, target: string): boolean {
	const [read, wanted] = [parseHostRule(rule), parseAuthority(target)];
	assert.ok(read !== undefined && wanted !== undefined);
	return matchesRule(read, wanted);
}

test("an entry without a port allows the ports of https and http only", () => {
	assert.equal(allows("api.example.com", "api.example.com:443"), true);
	assert.equal(allows("api.example.com", "api.example.com:80"), true);
	assert.equal(allows("api.example.com", "api.example.com:22"), false);
	assert.equal(allows("api.example.com", "api.example.com:8443"), false);
});

test("an entry with a port allows that port only", () => {
	assert.equal(allows("db.example.com:5432", "db.example.com:5432"), true);
	assert.equal(allows("db.example.com:5432", "db.example.com:443"), false);
});

test("a wildcard allows every name below, and not the name itself", () => {
	assert.equal(allows("*.example.com", "api.example.com:443"), true);
	assert.equal(allows("*.example.com", "a.b.example.com:443"), true);
	assert.equal(allows("*.example.com", "example.com:443"), false);
	assert.equal(allows("*.example.com", "evilexample.com:443"), false);
	assert.equal(allows("*.example.com", "example.com.evil.org:443"), false);
	assert.equal(allows("*.example.com:8443", "api.example.com:443"), false);
});

test("case, a trailing dot and the spelling of an address do not matter", () => {
	assert.equal(allows("API.example.com", "api.EXAMPLE.com.:443"), true);
	assert.equal(allows("10.0.0.1", "0xa.1:80"), true);
	assert.equal(allows("[::1]:8080", "[0:0:0:0::1]:8080"), true);
	assert.equal(allows("bücher.example", "xn--bcher-kva.example:443"), true);
});

test("there are no wildcards over addresses, and no entries without a host", () => {
	assert.equal(parseHostRule("*.10.0.0.1"), undefined);
	assert.equal(parseHostRule(":443"), undefined);
	assert.equal(parseHostRule("*."), undefined);
});

test("the entry that is proposed for a target allows it", () => {
	const hosts = fc.oneof(fc.domain(), fc.ipV4(), fc.ipV6());
	fc.assert(
		fc.property(hosts, fc.integer({ min: 1, max: 65_535 }), (text, port) => {
			const host = canonicalHost(text);
			assert.ok(host !== undefined);
			const rule = parseHostRule(ruleFor({ host, port }));
			assert.ok(rule !== undefined && matchesRule(rule, { host, port }));
		}),
	);
});

test("names that nobody can register are told from the others", () => {
	for (const name of ["localhost", "db", "a.localhost", "db.internal", "nas.local"]) {
		assert.equal(isLocalName(name), true, name);
	}
	for (const name of ["example.com", "internal.example.com", "10.0.0.1", "::1"]) {
		assert.equal(isLocalName(name), false, name);
	}
});
