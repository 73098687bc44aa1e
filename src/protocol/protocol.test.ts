import assert from "node:assert/strict";
import { test } from "node:test";
import { modernHttpStatus, rpc_codes } from "./codes.ts";
import { fault_rpc_codes, makeFault, publicFault } from "./fault.ts";
import { isLoudEnough } from "./log-levels.ts";
import { isCacheable, isListMethod, isSpokenIn } from "./methods.ts";
import { eraOf, negotiateLegacy } from "./revisions.ts";

test("a revision's era follows from its date", () => {
	assert.equal(eraOf("2025-11-25"), "legacy");
	assert.equal(eraOf("2026-07-28"), "modern");
	assert.equal(eraOf("2027-01-01"), "modern");
	assert.equal(eraOf("latest"), "legacy");
});

test("an initialize is answered with its revision where that is known, else the newest", () => {
	assert.equal(negotiateLegacy("2025-03-26"), "2025-03-26");
	assert.equal(negotiateLegacy("2024-11-05"), "2024-11-05");
	assert.equal(negotiateLegacy("1999-01-01"), "2025-11-25");
	assert.equal(negotiateLegacy("2026-07-28"), "2025-11-25");
});

test("each era speaks its own methods and extensions belong to both", () => {
	assert.ok(isSpokenIn("initialize", "legacy"));
	assert.ok(!isSpokenIn("initialize", "modern"));
	assert.ok(isSpokenIn("server/discover", "modern"));
	assert.ok(!isSpokenIn("server/discover", "legacy"));
	assert.ok(isSpokenIn("tools/call", "legacy") && isSpokenIn("tools/call", "modern"));
	assert.ok(isSpokenIn("com.example/thing", "modern"));
	assert.ok(isSpokenIn("constructor", "modern"));
});

test("lists, reads and discovery are what may be cached", () => {
	assert.ok(isCacheable("tools/list") && isCacheable("resources/read"));
	assert.ok(isCacheable("server/discover"));
	assert.ok(!isCacheable("tools/call"));
	assert.ok(isListMethod("prompts/list") && !isListMethod("toString"));
});

test("modern errors have the HTTP status the specification ties to them", () => {
	assert.equal(modernHttpStatus(rpc_codes.method_not_found), 404);
	assert.equal(modernHttpStatus(rpc_codes.header_mismatch), 400);
	assert.equal(modernHttpStatus(rpc_codes.unsupported_protocol_version), 400);
	assert.equal(modernHttpStatus(rpc_codes.invalid_params), 200);
});

test("our own error numbers lie outside what JSON-RPC reserves and never meet", () => {
	const numbers = Object.values(fault_rpc_codes);
	assert.ok(numbers.every((number) => number > -32000 || number < -32768));
	assert.equal(new Set(numbers).size, numbers.length);
});

test("a fault's public part has no detail", () => {
	const fault = makeFault(
		{ bytes: (count) => Buffer.alloc(count, 7) },
		{
			code: "server_exited",
			message: "It went away.",
			detail: "exit code 9",
			level: "warn",
			server: "time",
			retry_safe: false,
		},
	);
	assert.deepEqual(publicFault(fault), {
		code: "server_exited",
		server: "time",
		error_id: fault.id,
		retry_safe: false,
	});
	assert.match(fault.id, /^[A-Za-z0-9_-]{8}$/);
});

test("log messages pass from the wanted level upwards", () => {
	assert.ok(isLoudEnough("error", "warning"));
	assert.ok(isLoudEnough("warning", "warning"));
	assert.ok(!isLoudEnough("debug", "warning"));
	assert.ok(isLoudEnough("debug", undefined));
	assert.ok(isLoudEnough("nonsense", "error"));
});
