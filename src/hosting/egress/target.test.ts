import assert from "node:assert/strict";
import { isIP } from "node:net";
import { test } from "node:test";
import fc from "fast-check";
import { canonicalHost, formatTarget, parseAbsolute, parseAuthority } from "./target.ts";

test("the target of a CONNECT is a host with a port, in one form", () => {
	const targets: Record<string, [string, number]> = {
		"api.example.com:443": ["api.example.com", 443],
		"API.Example.COM.:8443": ["api.example.com", 8443],
		"93.184.215.14:80": ["93.184.215.14", 80],
		"[::1]:80": ["::1", 80],
		"[0:0::0:1]:80": ["::1", 80],
		"0x7f.1:80": ["127.0.0.1", 80],
		"2130706433:80": ["127.0.0.1", 80],
		"0177.0.0.1:80": ["127.0.0.1", 80],
		"[::ffff:127.0.0.1]:80": ["::ffff:7f00:1", 80],
	};
	for (const [text, [host, port]] of Object.entries(targets)) {
		assert.deepEqual(parseAuthority(text), { host, port }, text);
	}
});

test("what two readers could take differently is no target", () => {
	for (const text of [
		"",
		"api.example.com",
		":443",
		"api.example.com:",
		"api.example.com:0",
		"api.example.com:65536",
		"api.example.com:4 43",
		"user@api.example.com:443",
		"api.example.com:443/",
		"a.example\\b.example:443",
		"a%2eexample:443",
		"a#b:443",
		"[::1:443",
		"[fe80::1%25eth0]:80",
		"[127.0.0.1]:80",
		"300.1.1.1:80",
		"..:80",
		"http://a.example:80",
		`${"a".repeat(255)}:80`,
	]) {
		assert.equal(parseAuthority(text), undefined, text);
	}
});

test("the target of another request is an absolute http address", () => {
	const path = "/a/../b?c=d%20e";
	assert.deepEqual(parseAbsolute(`http://a.example${path}`), { host: "a.example", port: 80, path });
	assert.deepEqual(parseAbsolute("HTTP://A.example:8080"), {
		host: "a.example",
		port: 8080,
		path: "/",
	});
	assert.deepEqual(parseAbsolute("http://[::1]:8080?x"), { host: "::1", port: 8080, path: "/?x" });
	for (const text of [
		"/path",
		"*",
		"https://a.example/",
		"ftp://a.example/",
		"http:///path",
		"http://u:p@a.example/",
		"http://a.example:99999/",
		"http://a.example/#b",
		"http://a.example\\@b.example/",
	]) {
		assert.equal(parseAbsolute(text), undefined, text);
	}
});

test("a canonical host is its own canonical form", () => {
	const any = fc.oneof(fc.domain(), fc.ipV4(), fc.ipV4Extended(), fc.ipV6(), fc.string());
	fc.assert(
		fc.property(any, (text) => {
			const host = canonicalHost(text);
			if (host === undefined) return;
			assert.equal(canonicalHost(host), host);
			assert.equal(host, host.toLowerCase());
		}),
	);
});

test("a target that is written out is read as itself", () => {
	const host = fc.oneof(fc.domain(), fc.ipV4(), fc.ipV6());
	fc.assert(
		fc.property(host, fc.integer({ min: 1, max: 65_535 }), (text, port) => {
			const canonical = canonicalHost(text);
			assert.ok(canonical !== undefined);
			const target = { host: canonical, port };
			assert.deepEqual(parseAuthority(formatTarget(target)), target);
		}),
	);
});

test("no text is read as a number that only looks like a name", () => {
	fc.assert(
		fc.property(fc.ipV4Extended(), (text) => {
			const target = parseAuthority(`${text}:80`);
			assert.ok(target === undefined || isIP(target.host) === 4, text);
		}),
	);
});
