import assert from "node:assert/strict";
import { test } from "node:test";
import { indexMessage } from "../../wire/index-message.ts";
import { checkEnvelope } from "./check-envelope.ts";

const prefix = "io.modelcontextprotocol/";
const good_meta = {
	[`${prefix}protocolVersion`]: "2026-07-28",
	[`${prefix}clientCapabilities`]: {},
	[`${prefix}clientInfo`]: { name: "test", version: "1" },
};
const good_headers = {
	"mcp-protocol-version": "2026-07-28",
	"mcp-method": "tools/call",
	"mcp-name": "echo",
};

interface Change {
	readonly meta?: object;
	readonly headers?: Readonly<Record<string, string | undefined>>;
	readonly method?: string;
	readonly params?: object;
}

/** The code of the complaint about an otherwise good request. */
function complaint(change: Change = {}): number | undefined {
	const { meta = {}, headers = {}, method = "tools/call", params = { name: "echo" } } = change;
	const body = { ...params, _meta: { ...good_meta, ...meta } };
	const text = JSON.stringify({ jsonrpc: "2.0", id: 1, method, params: body });
	const indexed = indexMessage(Buffer.from(text));
	assert.ok(indexed.ok);
	const all = { ...good_headers, ...headers };
	const sent = Object.entries(all).filter(([, value]) => value !== undefined);
	return checkEnvelope(indexed.value, Object.fromEntries(sent))?.code;
}

test("a request that says all it has to is not complained about", () => {
	assert.equal(complaint(), undefined);
	assert.equal(complaint({ meta: { [`${prefix}clientInfo`]: undefined } }), undefined);
	assert.equal(complaint({ headers: { "mcp-name": "  echo " } }), undefined);
	assert.equal(complaint({ headers: { "mcp-name": "=?base64?ZWNobw==?=" } }), undefined);
});

test("an envelope that lacks something is an invalid parameter", () => {
	for (const [key, value] of [
		["protocolVersion", undefined],
		["protocolVersion", 7],
		["clientCapabilities", undefined],
		["clientCapabilities", []],
		["clientCapabilities", "all"],
		["clientInfo", null],
		["clientInfo", "me"],
		["clientInfo", { name: "test" }],
		["clientInfo", { name: 1, version: "1" }],
	] as const) {
		const code = complaint({ meta: { [prefix + key]: value } });
		assert.equal(code, -32602, `${key} ${JSON.stringify(value)}`);
	}
});

test("a version that is not spoken is named as such, with those that are", () => {
	const version = "2099-01-01";
	const meta = { [`${prefix}protocolVersion`]: version };
	assert.equal(complaint({ meta, headers: { "mcp-protocol-version": version } }), -32022);
	// What else is wrong matters less: the client has to choose another version first.
	const headers = { "mcp-protocol-version": version, "mcp-name": "other" };
	assert.equal(complaint({ meta, headers }), -32022);
});

test("headers that are missing or say something else are a mismatch", () => {
	for (const headers of [
		{ "mcp-protocol-version": undefined },
		{ "mcp-protocol-version": "2025-11-25" },
		{ "mcp-method": undefined },
		{ "mcp-method": "tools/list" },
		{ "mcp-method": "Tools/Call" },
		{ "mcp-name": undefined },
		{ "mcp-name": "other" },
		{ "mcp-name": "ECHO" },
		{ "mcp-name": "=?base64?!!?=" },
		{ "mcp-name": "=?base64?b3RoZXI=?=" },
	]) {
		assert.equal(complaint({ headers }), -32020, JSON.stringify(headers));
	}
});

test("a name outside of ASCII is compared after it is decoded", () => {
	const params = { name: "grüße" };
	const encoded = `=?base64?${Buffer.from("grüße").toString("base64")}?=`;
	assert.equal(complaint({ params, headers: { "mcp-name": encoded } }), undefined);
	assert.equal(complaint({ params, headers: { "mcp-name": "gr" } }), -32020);
});

test("a method without a name needs no name in its headers", () => {
	const list = { method: "tools/list", params: {} };
	const headers = { "mcp-method": "tools/list", "mcp-name": undefined };
	assert.equal(complaint({ ...list, headers }), undefined);
});

test("a resource is named by its address", () => {
	const read = { method: "resources/read", params: { uri: "file:///x" } };
	const headers = { "mcp-method": "resources/read", "mcp-name": "file:///x" };
	assert.equal(complaint({ ...read, headers }), undefined);
	assert.equal(complaint({ ...read, headers: { ...headers, "mcp-name": "file:///y" } }), -32020);
});
