import assert from "node:assert/strict";
import { test } from "node:test";
import { normalizeHost, normalizeOrigin } from "./allow-lists.ts";

test("hosts are taken in one form", () => {
	assert.equal(normalizeHost(" Moorage.Internal:08642 "), "moorage.internal:8642");
	assert.equal(normalizeHost("localhost"), "localhost");
	assert.equal(normalizeHost("[::1]:80"), "[::1]:80");
	assert.equal(normalizeHost("10.0.0.1"), "10.0.0.1");
});

test("what is no host is none", () => {
	for (const entry of [
		"",
		"*",
		"*.example.com",
		"a:99999",
		"a:*",
		"a:",
		"::1",
		"a/b",
		"http://a",
		"a b",
		"-a",
	]) {
		assert.equal(normalizeHost(entry), undefined, entry);
	}
});

test("origins are taken as browsers write them", () => {
	assert.equal(normalizeOrigin("https://App.Example.com/"), "https://app.example.com");
	assert.equal(normalizeOrigin("https://app.example.com:443"), "https://app.example.com");
	assert.equal(normalizeOrigin("http://localhost:443"), "http://localhost:443");
	assert.equal(normalizeOrigin("http://[::1]:80"), "http://[::1]");
	assert.equal(normalizeOrigin("vscode-webview://abc123"), "vscode-webview://abc123");
});

test("what is no origin is none", () => {
	for (const entry of [
		"",
		"*",
		"null",
		"example.com",
		"https://",
		"https://a/b",
		"https://a?b",
		"https://me@a",
		"https://*.a",
	]) {
		assert.equal(normalizeOrigin(entry), undefined, entry);
	}
});
