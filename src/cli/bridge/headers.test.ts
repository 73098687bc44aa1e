import assert from "node:assert/strict";
import { test } from "node:test";
import { modern } from "../../../test/support/bridge-scene.ts";
import { decodeHeaderValue } from "../../protocol/headers.ts";
import { indexMessage } from "../../wire/index-message.ts";
import type { Message } from "../../wire/message.ts";
import { isRepeatable } from "./methods.ts";
import { envelopeRevision, modernHeaders } from "./modern-headers.ts";
import { ParamHeaders } from "./param-headers.ts";

function messageOf(value: object | string): Message {
	const text = typeof value === "string" ? value : JSON.stringify(value);
	const indexed = indexMessage(Buffer.from(text));
	assert.ok(indexed.ok, text);
	return indexed.value;
}

const names: readonly (readonly [string, object, string | undefined])[] = [
	["tools/call", { name: "a" }, "a"],
	["tools/call", { name: "é ü" }, "é ü"],
	["tools/call", { name: " edge " }, " edge "],
	["tools/call", {}, undefined],
	["tools/call", { name: 5 }, undefined],
	["prompts/get", { name: "p" }, "p"],
	["resources/read", { uri: "file:///a b", name: "no" }, "file:///a b"],
	["tasks/get", { taskId: "t1" }, "t1"],
	["tools/list", { name: "no" }, undefined],
	["skills/get", { name: "no" }, undefined],
];

for (const [method, params, name] of names) {
	test(`${method} with ${JSON.stringify(params)} mirrors ${name ?? "no name"}`, () => {
		const headers = modernHeaders(messageOf(modern(1, method, params)), "2026-07-28");
		assert.equal(headers["mcp-protocol-version"], "2026-07-28");
		assert.equal(headers["mcp-method"], method);
		const value = headers["mcp-name"];
		assert.equal(value === undefined ? undefined : decodeHeaderValue(value), name);
		for (const header of Object.values(headers)) assert.match(header, /^[\x20-\x7e]*$/);
	});
}

test("the revision in the envelope is what makes a message modern", () => {
	assert.equal(envelopeRevision(messageOf(modern(1, "x/y"))), "2026-07-28");
	const legacy = { jsonrpc: "2.0", id: 1, method: "x/y", params: { _meta: { progressToken: 1 } } };
	assert.equal(envelopeRevision(messageOf(legacy)), undefined);
	assert.equal(envelopeRevision(messageOf({ jsonrpc: "2.0", id: 1, method: "ping" })), undefined);
});

test("only requests that change nothing when repeated are repeatable", () => {
	for (const method of ["tools/list", "ping", "initialize", "resources/read", "server/discover"]) {
		assert.equal(isRepeatable(method), true, method);
	}
	for (const method of ["tools/call", "tasks/update", "tasks/cancel", "acme/x", "", undefined]) {
		assert.equal(isRepeatable(method), false, method);
	}
});

function listOf(...tools: readonly unknown[]): Message {
	return messageOf({ jsonrpc: "2.0", id: 1, result: { tools } });
}

function tool(name: string, properties: object): object {
	return { name, inputSchema: { type: "object", properties } };
}

const region = { region: { type: "string", "x-mcp-header": "Region" } };

function call(name: string, args: string): Message {
	return messageOf(
		`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"${name}","arguments":${args}}}`,
	);
}

test("nothing is mirrored for tools that were never listed", () => {
	const headers = new ParamHeaders();
	assert.deepEqual(headers.headersFor(call("search", '{"region":"eu"}')), {});
	headers.learn(listOf(tool("other", region)));
	assert.deepEqual(headers.headersFor(call("search", '{"region":"eu"}')), {});
});

test("arguments of an annotated tool are mirrored, those that are not there are not", () => {
	const headers = new ParamHeaders();
	headers.learn(listOf(tool("plain", {}), tool("search", region)));
	const cases = [
		['{"region":"eu"}', { "mcp-param-region": "eu" }],
		['{"region":"eu","x":1}', { "mcp-param-region": "eu" }],
		["{}", {}],
		['{"region":null}', {}],
		['{"region":{"a":1}}', {}],
		["[]", {}],
	] as const;
	for (const [args, expected] of cases) {
		assert.deepEqual(headers.headersFor(call("search", args)), expected, args);
	}
	const without = messageOf(modern(1, "tools/call", { name: "search" }));
	assert.deepEqual(headers.headersFor(without), {});
	const other = messageOf(
		modern(1, "prompts/get", { name: "search", arguments: { region: "eu" } }),
	);
	assert.deepEqual(headers.headersFor(other), {});
});

test("a tool that loses its annotation in a later list is mirrored no more", () => {
	const headers = new ParamHeaders();
	headers.learn(listOf(tool("search", region)));
	headers.learn(listOf(tool("search", { region: { type: "string" } })));
	assert.deepEqual(headers.headersFor(call("search", '{"region":"eu"}')), {});
});

test("lists of any shape are lived with", () => {
	const headers = new ParamHeaders();
	const odd = [
		{ jsonrpc: "2.0", id: 1, result: {} },
		{ jsonrpc: "2.0", id: 1, result: { tools: { "x-mcp-header": 1 } } },
		{ jsonrpc: "2.0", id: 1, result: { tools: [null, 5, "x-mcp-header", { name: 5 }, {}] } },
		{ jsonrpc: "2.0", id: 1, error: { code: 1, message: "x-mcp-header" } },
	];
	for (const reply of odd) headers.learn(messageOf(reply));
	assert.deepEqual(headers.headersFor(call("search", "{}")), {});
});
