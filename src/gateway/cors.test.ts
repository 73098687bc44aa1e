import assert from "node:assert/strict";
import { test } from "node:test";
import { corsHeaders, preflightHeaders } from "./cors.ts";

const origin = "http://localhost:5173";

test("an answer names its origin, never a wildcard, and shows the session", () => {
	const headers = corsHeaders(origin);
	assert.equal(headers["access-control-allow-origin"], origin);
	assert.match(headers["access-control-expose-headers"] ?? "", /Mcp-Session-Id/);
	assert.match(headers["access-control-expose-headers"] ?? "", /DPoP-Nonce/);
	assert.equal(headers["vary"], "Origin");
	assert.ok(!Object.values(headers).includes("*"));
});

test("a preflight is granted the protocol's headers and nothing else", () => {
	const asked =
		"Content-Type, Authorization,DPoP,mcp-session-id , MCP-Protocol-Version, Mcp-Method, Mcp-Name, " +
		"Last-Event-ID, Accept, Mcp-Param-Region, X-Evil, Cookie, mcp-param-, mcp-param-a b";
	const headers = preflightHeaders(origin, { "access-control-request-headers": asked });
	assert.deepEqual(headers["access-control-allow-headers"]?.split(", "), [
		"content-type",
		"authorization",
		"dpop",
		"mcp-session-id",
		"mcp-protocol-version",
		"mcp-method",
		"mcp-name",
		"last-event-id",
		"accept",
		"mcp-param-region",
	]);
	assert.equal(headers["access-control-allow-methods"], "POST, GET, DELETE");
	assert.equal(headers["access-control-allow-origin"], origin);
});

test("a preflight that asks for no header, or for too many, is bounded", () => {
	assert.ok(!("access-control-allow-headers" in preflightHeaders(origin, {})));
	const many = Array.from({ length: 1000 }, (_, at) => `mcp-param-${at}`).join(",");
	const headers = preflightHeaders(origin, { "access-control-request-headers": many });
	assert.equal(headers["access-control-allow-headers"]?.split(", ").length, 64);
});
