import assert from "node:assert/strict";
import { test } from "node:test";
import type { HttpSession } from "./headers.ts";
import { isSessionLost, readRefusal } from "./refusal.ts";

const session: HttpSession = { era: "legacy", revision: "2025-11-25", id: "s" };

function refusal(id: unknown, code: number, text = "no") {
	const body = JSON.stringify({ jsonrpc: "2.0", id, error: { code, message: text } });
	return readRefusal(Buffer.from(body), 5);
}

test("an error with the request's id is its reply, whatever the code", () => {
	assert.equal(refusal(5, -32000)?.is_reply, true);
	assert.equal(refusal(5, 1234)?.is_reply, true);
	assert.equal(refusal(6, -32601)?.is_reply, false);
	assert.equal(refusal("5", -32601)?.is_reply, false);
});

test("an error without an id is a reply when it is one that a modern server gives", () => {
	for (const code of [-32700, -32600, -32601, -32602, -32020, -32021, -32022]) {
		assert.equal(refusal(null, code)?.is_reply, true, `${code}`);
	}
	assert.equal(refusal(null, -32000)?.is_reply, false);
});

test("a body that is no JSON-RPC error is no refusal that can be read", () => {
	for (const body of [
		"",
		"<html>",
		"{}",
		'{"jsonrpc":"2.0","id":5,"result":{}}',
		'{"error":"x"}',
	]) {
		assert.equal(readRefusal(Buffer.from(body), 5), undefined, body);
	}
});

test("404 means a lost session where there was one", () => {
	assert.equal(isSessionLost(404, undefined, session), true);
	assert.equal(isSessionLost(404, refusal(null, -32001), session), true);
	assert.equal(isSessionLost(404, undefined, { ...session, id: undefined }), false);
	assert.equal(isSessionLost(404, undefined, { ...session, era: "modern" }), false);
});

test("404 for a method that is not known leaves the session alone", () => {
	assert.equal(isSessionLost(404, refusal(5, -32601), session), false);
});

test("400 means a lost session only when the error says so", () => {
	const unknown = refusal(null, -32000, "Bad Request: No valid session ID provided");
	assert.equal(isSessionLost(400, unknown, session), true);
	assert.equal(isSessionLost(400, refusal(null, -32000, "Bad Request"), session), false);
	assert.equal(isSessionLost(400, undefined, session), false);
	assert.equal(isSessionLost(500, unknown, session), false);
});
