import assert from "node:assert/strict";
import { test } from "node:test";
import { default_allowed_hosts, default_allowed_origins } from "../config/defaults.ts";
import { isAllowedHost, isAllowedOrigin } from "./guard.ts";

const rules = {
	hosts: [...default_allowed_hosts, "mcp.example.com", "one.example.com:8443"],
	origins: [...default_allowed_origins, "https://app.example.com:444"],
};

test("this machine's names are allowed at any port, whatever their case", () => {
	for (const host of ["localhost", "LocalHost:8642", "127.0.0.1:1", "[::1]", "[::1]:65535"]) {
		assert.ok(isAllowedHost(host, rules), host);
	}
});

test("a host is allowed with every port or with the one that was named", () => {
	assert.ok(isAllowedHost("mcp.example.com:9", rules));
	assert.ok(isAllowedHost("one.example.com:8443", rules));
	assert.ok(!isAllowedHost("one.example.com:8444", rules));
	assert.ok(!isAllowedHost("one.example.com", rules));
});

test("what one list allows is not allowed by another, nor by the same one under another port", () => {
	const others = { ...rules, hosts: ["other.example.com"] };
	for (let round = 0; round < 3; round += 1) {
		assert.ok(isAllowedHost("one.example.com:8443", rules));
		assert.ok(!isAllowedHost("one.example.com:8443", others));
		assert.ok(!isAllowedHost("one.example.com:8444", rules));
		assert.ok(isAllowedHost("other.example.com", others));
		assert.ok(!isAllowedHost("other.example.com", rules));
	}
	assert.ok(!isAllowedHost("", { ...rules, hosts: [] }));
});

test("a missing host and names that only look alike are refused", () => {
	const hosts = [
		undefined,
		"",
		"evil.example",
		"localhost.evil.example",
		"evil.example:8642",
		"127.0.0.1.evil.example",
		"127.0.0.1:80:80",
		"localhost:",
		"localhost:x",
		"localhost@evil.example",
		"localhost, evil.example",
		"[::1",
		" localhost",
	];
	for (const host of hosts) assert.ok(!isAllowedHost(host, rules), host);
});

test("no origin is no browser, and is let in", () => {
	assert.ok(isAllowedOrigin(undefined, rules));
});

test("pages of this machine are allowed at any port, others at the port that was named", () => {
	for (const origin of ["http://localhost:5173", "http://127.0.0.1", "HTTP://[::1]:3000"]) {
		assert.ok(isAllowedOrigin(origin, rules), origin);
	}
	assert.ok(isAllowedOrigin("https://app.example.com:444", rules));
	assert.ok(!isAllowedOrigin("https://app.example.com", rules));
});

test("the origin null, another scheme and other sites are refused", () => {
	const origins = [
		"",
		"null",
		"https://localhost",
		"http://evil.example",
		"http://localhost.evil.example",
		"http://localhost:5173, http://evil.example",
		"file://",
	];
	for (const origin of origins) assert.ok(!isAllowedOrigin(origin, rules), origin);
});
