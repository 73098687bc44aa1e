import assert from "node:assert/strict";
import { test } from "node:test";
import { toolRequest } from "../../../test/support/upstream-harness.ts";
import { configuredHeaders, type HttpSession, postHeaders, streamHeaders } from "./headers.ts";

const legacy: HttpSession = { era: "legacy", revision: "2025-06-18", id: "s-1" };
const modern: HttpSession = { era: "modern", revision: "2026-07-28", id: undefined };

/** Names and values in turn, as an object. */
function asObject(list: readonly string[]): Record<string, string> {
	const found: Record<string, string> = {};
	for (let at = 0; at < list.length; at += 2) {
		const name = (list[at] as string).toLowerCase();
		assert.ok(!Object.hasOwn(found, name), `${name} stands there twice`);
		found[name] = list[at + 1] as string;
	}
	return found;
}

test("configured headers are sent, except where the protocol or the connection has its own", () => {
	const configured = configuredHeaders({
		Authorization: "Bearer t",
		"X-Team": "a",
		"Transfer-Encoding": "chunked",
		CONNECTION: "close",
		"mcp-session-id": "x",
		"Mcp-Param-Anything": "x",
		"Last-Event-ID": "x",
		"Accept-Encoding": "gzip",
	});
	assert.deepEqual(asObject(configured), {
		authorization: "Bearer t",
		"x-team": "a",
		"user-agent": "moorage",
	});
});

test("a configured user agent replaces our own", () => {
	assert.deepEqual(configuredHeaders({ "USER-AGENT": "mine" }), ["USER-AGENT", "mine"]);
});

test("before the handshake neither revision nor session is named", () => {
	const before: HttpSession = { era: "legacy", revision: undefined, id: undefined };
	assert.deepEqual(asObject(postHeaders([], before, undefined)), {
		"content-type": "application/json",
		accept: "application/json, text/event-stream",
	});
});

test("a legacy request names its session and revision and nothing of the modern era", () => {
	const request = toolRequest("x", {}, { headers: { "Mcp-Param-A": "1" } });
	assert.deepEqual(asObject(postHeaders(["x-team", "a"], legacy, request)), {
		"x-team": "a",
		"content-type": "application/json",
		accept: "application/json, text/event-stream",
		"mcp-protocol-version": "2025-06-18",
		"mcp-session-id": "s-1",
	});
});

test("a modern request names its method, its name and its mirrored arguments", () => {
	const name = "grüße";
	const request = toolRequest("x", {}, { name, headers: { "Mcp-Param-A": "1", other: "2" } });
	const headers = asObject(postHeaders([], modern, request));
	assert.equal(headers["mcp-method"], "tools/call");
	assert.equal(headers["mcp-name"], `=?base64?${Buffer.from(name).toString("base64")}?=`);
	assert.equal(headers["mcp-param-a"], "1");
	assert.equal(headers["other"], undefined);
	const nameless = postHeaders([], modern, { ...request, name: undefined });
	assert.equal(asObject(nameless)["mcp-name"], undefined);
});

test("a stream is asked for as one, from where it broke", () => {
	assert.deepEqual(asObject(streamHeaders([], legacy, "event-7")), {
		accept: "text/event-stream",
		"mcp-protocol-version": "2025-06-18",
		"mcp-session-id": "s-1",
		"last-event-id": "event-7",
	});
	assert.equal(asObject(streamHeaders([], legacy, undefined))["last-event-id"], undefined);
});
