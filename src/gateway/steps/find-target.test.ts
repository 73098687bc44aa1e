import assert from "node:assert/strict";
import { test } from "node:test";
import type { ServerPlan } from "../../config/plan.ts";
import type { Era } from "../../protocol/revisions.ts";
import { composeRequest } from "../../wire/compose.ts";
import { applyEdits } from "../../wire/splice.ts";
import type { Call, Reply } from "../call.ts";
import type { GatewayContext } from "../context.ts";
import { findTarget } from "./find-target.ts";

const no_filter = { allow: [], deny: [] };
const server = (name: string) =>
	({ name, tools: no_filter, scope: "shared" }) as unknown as ServerPlan;
const context = { catalogs: { get: () => undefined } } as unknown as GatewayContext;

/** Looks for the target of a request at an address of these servers. */
async function find(
	kind: "single" | "bundle",
	method: string,
	params: string,
	era: Era = "legacy",
): Promise<{ call: Call; reply: Reply | undefined; sent: string }> {
	const servers = kind === "single" ? [server("a")] : [server("a"), server("b")];
	const call = {
		endpoint: { name: "x", kind, servers, tools: no_filter },
		client: { era },
		message: composeRequest("1", method, params),
		method,
		signal: new AbortController().signal,
		edits: [],
		target: undefined,
	} as unknown as Call;
	const reply = await findTarget(call, context);
	return { call, reply, sent: applyEdits(call.message.bytes, call.edits).toString("utf8") };
}

const codeOf = (reply: Reply | undefined) => (reply?.kind === "error" ? reply.code : undefined);

test("at its own address a server gets everything, unchanged", async () => {
	for (const [method, params, name] of [
		["tools/call", '{"name":"a__\\u0062"}', "a__b"],
		["resources/read", '{"uri":"moorage://b/x"}', "moorage://b/x"],
		["tools/list", "{}", undefined],
		["x-vendor/any", '{"name":"n"}', undefined],
	] as const) {
		const { call, reply, sent } = await find("single", method, params);
		assert.equal(reply, undefined);
		assert.equal(call.target?.server.name, "a");
		assert.equal(call.target?.name, name);
		assert.equal(sent, call.message.bytes.toString("utf8"));
	}
});

test("what is called by no name at all is refused before its server sees it", async () => {
	for (const kind of ["single", "bundle"] as const) {
		for (const [method, params] of [
			["tools/call", '{"name":7}'],
			["tools/call", "{}"],
			["prompts/get", '{"name":null}'],
			["resources/read", '{"uri":["x"]}'],
		] as const) {
			const { call, reply } = await find(kind, method, params);
			assert.equal(codeOf(reply), -32602, `${method} ${params} at a ${kind}`);
			assert.equal(call.target, undefined);
		}
	}
});

test("at a bundle a resource's address says which server, and is its own again there", async () => {
	const { call, reply, sent } = await find(
		"bundle",
		"resources/read",
		'{"uri":"moorage://b/file:///x?y=1","x-unknown":1.0}',
	);
	assert.equal(reply, undefined);
	assert.equal(call.target?.server.name, "b");
	assert.match(sent, /"params":\{"uri":"file:\/\/\/x\?y=1","x-unknown":1\.0\}/);
	const app = await find("bundle", "resources/read", '{"uri":"ui://a/app.html"}');
	assert.match(app.sent, /"uri":"ui:\/\/app\.html"/);
});

test("a resource of nobody has the code of its era", async () => {
	for (const uri of ["file:///x", "moorage://c/x", "moorage://", "moorage:///x"]) {
		const params = JSON.stringify({ uri });
		const legacy = await find("bundle", "resources/read", params);
		assert.equal(codeOf(legacy.reply), -32002, uri);
		const modern = await find("bundle", "resources/read", params, "modern");
		assert.equal(codeOf(modern.reply), -32602, uri);
	}
});

test("a completion follows what it completes", async () => {
	const template = '{"ref":{"type":"ref/resource","uri":"moorage://a/x://{n}"},"argument":{}}';
	const { call, sent } = await find("bundle", "completion/complete", template);
	assert.equal(call.target?.server.name, "a");
	assert.match(sent, /"ref":\{"type":"ref\/resource","uri":"x:\/\/\{n\}"\}/);
	for (const params of ["{}", '{"ref":7}', '{"ref":{}}', '{"ref":{"type":7}}']) {
		const { reply } = await find("bundle", "completion/complete", params);
		assert.equal(codeOf(reply), -32602, params);
	}
});

test("what names nothing, or cannot be divided between servers, is refused", async () => {
	assert.equal(codeOf((await find("bundle", "tools/call", "{}")).reply), -32602);
	assert.equal(codeOf((await find("bundle", "tools/call", '{"name":7}')).reply), -32602);
	assert.equal(codeOf((await find("bundle", "tools/call", '{"name":"c__x"}')).reply), -32602);
	assert.equal(codeOf((await find("bundle", "prompts/get", '{"name":"c__x"}')).reply), -32602);
	assert.equal(codeOf((await find("bundle", "resources/read", '{"uri":7}')).reply), -32602);
	assert.equal(codeOf((await find("bundle", "x-vendor/any", "{}")).reply), -32601);
});
