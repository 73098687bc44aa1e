import assert from "node:assert/strict";
import { test } from "node:test";
import { local_principal } from "../../identity/principal.ts";
import { indexMessage } from "../../wire/index-message.ts";
import type { Call, Reply } from "../call.ts";
import type { GatewayContext } from "../context.ts";
import { ServedTenants } from "../served-tenants.ts";
import { checkParamHeaders } from "./check-param-headers.ts";

const tool =
	'{"name":"query","inputSchema":{"type":"object","properties":{' +
	'"region":{"type":"string","x-mcp-header":"Region"},' +
	'"page":{"type":"integer","x-mcp-header":"Page"}}}}';
/** What the catalog knows, and what it knows after it has been read again. */
let known = toolsOf(tool);
let renewed = known;
const context = {
	catalogs: {
		get: (server: string) => (server === "known" ? { tools: known } : undefined),
		refresh: async () => {
			known = renewed;
		},
	},
	served: new ServedTenants(),
	instanceKey: () => ({ server: "known", scope_key: "", capabilities: "{}" }),
	hosting: {
		tryAcquire: () => ({
			key: { server: "known", scope_key: "", capabilities: "{}" },
			upstream: { hello: { revision: "2026-07-28" } },
		}),
	},
} as unknown as GatewayContext;

function toolsOf(text: string) {
	return [{ name: "query", bytes: Buffer.from(text) }];
}

async function check(
	args: string,
	headers?: Record<string, string>,
	more: object = {},
): Promise<Reply | undefined> {
	const text = `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"query","arguments":${args}}}`;
	const message = indexMessage(Buffer.from(text));
	assert.ok(message.ok);
	const call = {
		client: { era: "modern" },
		method: "tools/call",
		message: message.value,
		principal: local_principal,
		target: { server: { name: "known" }, name: "query" },
		notes: {},
		param_headers: headers,
		...more,
	};
	return checkParamHeaders(call as unknown as Call, context);
}

function refused(reply: Reply | undefined): string {
	assert.ok(reply?.kind === "error");
	assert.equal(reply.code, -32020);
	return reply.message;
}

test("headers that agree with the arguments pass, numbers as numbers", async () => {
	const headers = { "mcp-param-region": "eu", "mcp-param-page": "2.0" };
	assert.equal(await check('{"region":"eu","page":2}', headers), undefined);
	const encoded = { "mcp-param-region": "=?base64?WsO8cmljaA==?=" };
	assert.equal(await check('{"region":"Z\\u00fcrich"}', encoded), undefined);
});

test("a header that is missing, wrong or malformed is refused by name", async () => {
	assert.match(refused(await check('{"region":"eu"}')), /mcp-param-region header is missing/);
	assert.match(
		refused(await check('{"region":"eu"}', { "mcp-param-region": "us" })),
		/does not match/,
	);
	const malformed = { "mcp-param-region": "=?base64?SGVsbG8?=" };
	assert.match(refused(await check('{"region":"Hello"}', malformed)), /invalid base64/);
	assert.match(refused(await check('{"page":2}', { "mcp-param-page": "3" })), /mcp-param-page/);
});

test("what is null or not given needs no header, and a header for it is ignored", async () => {
	assert.equal(await check("{}"), undefined);
	assert.equal(await check('{"region":null}', { "mcp-param-region": "x" }), undefined);
	assert.equal(await check("{}", { "mcp-param-page": "x", "mcp-param-other": "y" }), undefined);
});

test("legacy calls, other methods and unknown tools are left alone", async () => {
	const args = '{"region":"eu"}';
	assert.equal(await check(args, undefined, { client: { era: "legacy" } }), undefined);
	assert.equal(await check(args, undefined, { method: "prompts/get" }), undefined);
	const elsewhere = { server: { name: "unknown" }, name: "query" };
	assert.equal(await check(args, undefined, { target: elsewhere }), undefined);
	const other = { server: { name: "known" }, name: "other" };
	assert.equal(await check(args, undefined, { target: other }), undefined);
});

test("a call that agrees with the definition as it is now is let through", async () => {
	renewed = toolsOf(tool.replace("Region", "Zone"));
	const args = '{"region":"eu"}';
	assert.equal(await check(args, { "mcp-param-zone": "eu" }), undefined);
	assert.match(refused(await check(args, { "mcp-param-region": "eu" })), /mcp-param-zone/);
	renewed = toolsOf(tool);
	assert.equal(await check(args, { "mcp-param-region": "eu" }), undefined);
});
