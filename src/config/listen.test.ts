import assert from "node:assert/strict";
import { test } from "node:test";
import { parseListen } from "./listen.ts";

const nobody = { identity: false, encrypted: true };
const all = { identity: true, encrypted: true };

test("loopback addresses are taken", () => {
	for (const [text, host, port] of [
		["127.0.0.1:8642", "127.0.0.1", 8642],
		["127.8.9.1:1", "127.8.9.1", 1],
		["localhost:0", "localhost", 0],
		["LocalHost:80", "LocalHost", 80],
		["[::1]:65535", "::1", 65_535],
		["[0:0:0:0:0:0:0:1]:80", "0:0:0:0:0:0:0:1", 80],
	] as const) {
		assert.deepEqual(parseListen(text, nobody), { ok: true, value: { host, port } }, text);
	}
});

test("every other address is refused, with what to do", () => {
	for (const text of [
		"0.0.0.0:8642",
		"[::]:8642",
		":8642",
		"192.168.1.5:80",
		"example.com:80",
		"localhost.example.com:80",
		"127.0.0.1.example.com:80",
		"[fe80::1]:80",
		"[1::1]:80",
		"[::1:1]:80",
		"[::ffff:127.0.0.1]:80",
		"[::11]:80",
	]) {
		const parsed = parseListen(text, nobody);
		assert.ok(!parsed.ok, text);
		assert.match(parsed.problem.message, /without identity/, text);
		assert.match(parsed.problem.next, /127\.0\.0\.1:\d+/, text);
	}
});

test("what is no address is refused with an example", () => {
	for (const text of [
		"",
		"8642",
		"localhost",
		"127.0.0.1:",
		"127.0.0.1:70000",
		"::1:80",
		"http://localhost:80",
		"a b:80",
	]) {
		const parsed = parseListen(text, nobody);
		assert.ok(!parsed.ok, text);
		assert.match(parsed.problem.message, /HOST:PORT/, text);
	}
});

test("without TLS only this machine is listened on, with identity too", () => {
	const rules = { identity: true, encrypted: false };
	assert.ok(parseListen("127.0.0.1:8642", rules).ok);
	for (const text of ["0.0.0.0:8642", "[::]:8642", "192.168.1.5:8642"]) {
		const parsed = parseListen(text, rules);
		assert.ok(!parsed.ok, text);
		assert.match(parsed.problem.message, /without TLS/);
		assert.match(parsed.problem.next, /`tls`.*`public_url`.*`trusted_proxies`/s);
	}
});

test("with identity and TLS other addresses of this machine are taken too, but no names", () => {
	for (const [text, host] of [
		["0.0.0.0:8642", "0.0.0.0"],
		["[::]:8642", "::"],
		["192.168.1.5:8642", "192.168.1.5"],
		["127.0.0.1:8642", "127.0.0.1"],
	] as const) {
		assert.deepEqual(parseListen(text, all), { ok: true, value: { host, port: 8642 } }, text);
	}
	for (const text of [":8642", "example.com:8642"]) assert.ok(!parseListen(text, all).ok, text);
});
