import assert from "node:assert/strict";
import { test } from "node:test";
import { indexMessage } from "../../wire/index-message.ts";
import type { Edit, Message } from "../../wire/message.ts";
import { applyEdits } from "../../wire/splice.ts";
import { completeReplyEdits, legacyReplyEdits, modernReplyEdits } from "./reply-edits.ts";
import { requestEdits } from "./request-edits.ts";

const version_key = "io.modelcontextprotocol/protocolVersion";
const capabilities_key = "io.modelcontextprotocol/clientCapabilities";
const info_key = "io.modelcontextprotocol/clientInfo";
const server_info_key = "io.modelcontextprotocol/serverInfo";

const envelope = {
	revision: "2026-07-28",
	capabilities: '{"roots":{}}',
	info: '{"name":"c","version":"1"}',
	log_level: undefined,
};

function message(text: string): Message {
	const indexed = indexMessage(Buffer.from(text));
	assert.ok(indexed.ok, text);
	return indexed.value;
}

function edited(source: Message, edits: readonly Edit[]): string {
	return applyEdits(source.bytes, edits).toString();
}

function request(params: string): Message {
	return message(`{"jsonrpc":"2.0","id":1,"method":"tools/call"${params}}`);
}

test("a request between sides of one era passes as it is", () => {
	const same = request(',"params":{"name":"a","_meta":{"x":1}}');
	assert.deepEqual(requestEdits(same, "legacy", "legacy", envelope), []);
	assert.deepEqual(requestEdits(same, "modern", "modern", envelope), []);
});

test("a legacy request gets the envelope beside what it has in _meta", () => {
	const source = request(',"params":{"name":"a","_meta":{"progressToken":7,"own":1.0}}');
	const text = edited(source, requestEdits(source, "legacy", "modern", envelope));
	assert.deepEqual(JSON.parse(text).params._meta, {
		progressToken: 7,
		own: 1,
		[version_key]: "2026-07-28",
		[capabilities_key]: { roots: {} },
		[info_key]: { name: "c", version: "1" },
	});
	assert.ok(text.includes('"own":1.0'));
});

test("a legacy request without _meta or without params gets them", () => {
	for (const params of [',"params":{"name":"a"}', ',"params":{}', ""]) {
		const source = request(params);
		const text = edited(source, requestEdits(source, "legacy", "modern", envelope));
		assert.equal(JSON.parse(text).params._meta[version_key], "2026-07-28", params);
	}
});

test("a session's log level travels in the envelope", () => {
	const source = request("");
	const edits = requestEdits(source, "legacy", "modern", { ...envelope, log_level: "info" });
	const meta = JSON.parse(edited(source, edits)).params._meta;
	assert.equal(meta["io.modelcontextprotocol/logLevel"], "info");
});

test("a legacy server does not see the envelope, nor an empty _meta", () => {
	const full = `"${version_key}":"2026-07-28","${capabilities_key}":{},"${info_key}":{"name":"c"}`;
	const bare = request(`,"params":{"name":"a","_meta":{${full}}}`);
	const text = edited(bare, requestEdits(bare, "modern", "legacy", envelope));
	assert.equal(text, '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"a"}}');
	const mixed = request(`,"params":{"_meta":{${full},"progressToken":"t"},"name":"a"}`);
	assert.deepEqual(
		JSON.parse(edited(mixed, requestEdits(mixed, "modern", "legacy", envelope))).params,
		{ _meta: { progressToken: "t" }, name: "a" },
	);
});

test("a legacy server does not see the answers of earlier rounds", () => {
	const full = `"${version_key}":"2026-07-28","${capabilities_key}":{}`;
	const source = request(
		`,"params":{"name":"a","inputResponses":{"q1":{}},"requestState":"s","_meta":{${full}}}`,
	);
	const text = edited(source, requestEdits(source, "modern", "legacy", envelope));
	assert.deepEqual(JSON.parse(text).params, { name: "a" });
});

const info = '{"name":"srv","version":"2"}';

test("a legacy result says for a modern client what it is and who made it", () => {
	const source = message(
		'{"jsonrpc":"2.0","id":1,"result":{"content":[],"big":12345678901234567890}}',
	);
	const text = edited(source, modernReplyEdits(source, "tools/call", info));
	assert.deepEqual(JSON.parse(text).result.resultType, "complete");
	assert.deepEqual(JSON.parse(text).result._meta, {
		[server_info_key]: { name: "srv", version: "2" },
	});
	assert.ok(text.includes("12345678901234567890"));
});

test("a legacy list is private and stale at once for a modern client", () => {
	const source = message('{"jsonrpc":"2.0","id":1,"result":{"tools":[],"_meta":{"k":1}}}');
	const { result } = JSON.parse(edited(source, modernReplyEdits(source, "tools/list", info)));
	assert.equal(result.ttlMs, 0);
	assert.equal(result.cacheScope, "private");
	assert.deepEqual(result._meta, { k: 1, [server_info_key]: { name: "srv", version: "2" } });
});

test("what a result already says is left as it is", () => {
	const source = message(
		`{"jsonrpc":"2.0","id":1,"result":{"tools":[],"ttlMs":5,"cacheScope":"public","resultType":"x","_meta":{"${server_info_key}":{}}}}`,
	);
	assert.equal(
		edited(source, modernReplyEdits(source, "tools/list", info)),
		source.bytes.toString(),
	);
});

test("a modern result that leaves out what it must say is completed, others are untouched", () => {
	const bare = message('{"jsonrpc":"2.0","id":1,"result":{"tools":[],"n":1.0}}');
	assert.equal(
		edited(bare, completeReplyEdits(bare, "tools/list")),
		'{"jsonrpc":"2.0","id":1,"result":{"tools":[],"n":1.0,"resultType":"complete","ttlMs":0,"cacheScope":"private"}}',
	);
	const call = message('{"jsonrpc":"2.0","id":1,"result":{}}');
	assert.deepEqual(JSON.parse(edited(call, completeReplyEdits(call, "tools/call"))).result, {
		resultType: "complete",
	});
	const whole = message(
		'{"jsonrpc":"2.0","id":1,"result":{"resultType":"task","taskId":"t","ttlMs":5}}',
	);
	assert.deepEqual(completeReplyEdits(whole, "tools/call"), []);
	const error = message('{"jsonrpc":"2.0","id":1,"error":{"code":1,"message":"no"}}');
	assert.deepEqual(completeReplyEdits(error, "tools/list"), []);
});

test("a missing resource has another code in the modern revision", () => {
	const source = message('{"jsonrpc":"2.0","id":1,"error":{"code":-32002,"message":"gone"}}');
	const text = edited(source, modernReplyEdits(source, "resources/read", info));
	assert.equal(JSON.parse(text).error.code, -32602);
	const other = message('{"jsonrpc":"2.0","id":1,"error":{"code":-32001,"message":"no"}}');
	assert.deepEqual(modernReplyEdits(other, "resources/read", info), []);
});

test("a modern result loses for a legacy client what only modern clients know", () => {
	const source = message(
		`{"jsonrpc":"2.0","id":1,"result":{"resultType":"complete","tools":[],"ttlMs":5,"cacheScope":"public","_meta":{"${server_info_key}":{}}}}`,
	);
	assert.equal(
		edited(source, legacyReplyEdits(source)),
		'{"jsonrpc":"2.0","id":1,"result":{"tools":[]}}',
	);
});

test("a modern result keeps its other notes for a legacy client", () => {
	const source = message(
		`{"jsonrpc":"2.0","id":1,"result":{"content":[],"_meta":{"a":1,"${server_info_key}":{}}}}`,
	);
	const { result } = JSON.parse(edited(source, legacyReplyEdits(source)));
	assert.deepEqual(result, { content: [], _meta: { a: 1 } });
});
