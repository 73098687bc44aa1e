import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { type Node, parseTree } from "jsonc-parser";
import {
	damage,
	damaged,
	object_text,
	objectText,
	parseJsonText,
	parseStrictly,
	unique_members,
	value_text,
} from "../../test/support/json-text.ts";
import {
	batch_messages_max,
	indexBatch,
	indexMessage,
	isBatch,
	members_max,
} from "./index-message.ts";
import type { Message, ObjectIndex, WireProblem } from "./message.ts";
import { memberSpan, rawText, readJson } from "./object.ts";

function accept(text: string): Message {
	const indexed = indexMessage(Buffer.from(text));
	assert.ok(indexed.ok, `${text} is a message`);
	return indexed.value;
}

function refuse(text: string | Buffer): WireProblem {
	const indexed = indexMessage(Buffer.from(text));
	assert.ok(!indexed.ok, `${text.toString()} is not a message`);
	return indexed.problem;
}

function raw({ bytes }: Message, object: ObjectIndex | undefined): unknown {
	return object === undefined ? undefined : rawText(bytes, object.span);
}

/** A notification with these members in its params. */
function withParams(members: readonly string[]): string {
	return `{"jsonrpc":"2.0","method":"a","params":{${members.join(",")}}}`;
}

/** Arrays within arrays. */
function nested(depth: number): string {
	return "[".repeat(depth) + "]".repeat(depth);
}

function isObject(value: unknown): boolean {
	return typeof value === "object" && value !== null && !Array.isArray(value);
}

test("a request is located part by part", () => {
	const message = accept(
		' {"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":"x","_meta":{"t":1.0}},"x":[]} ',
	);
	assert.equal(message.kind, "request");
	assert.equal(message.method, "tools/call");
	assert.equal(message.id && rawText(message.bytes, message.id), "7");
	assert.equal(raw(message, message.params), '{"name":"x","_meta":{"t":1.0}}');
	assert.equal(raw(message, message.meta), '{"t":1.0}');
	assert.equal(readJson(message.bytes, memberSpan(message.envelope, "x"))?.constructor, Array);
	assert.deepEqual([message.result, message.error], [undefined, undefined]);
	const keys = message.envelope.members.map(({ key }) => key);
	assert.deepEqual(keys, ["jsonrpc", "id", "method", "params", "x"]);
});

test("each kind of message is told by its members, in any order", () => {
	const kinds = {
		request: ['{"method":"a","id":"1","jsonrpc":"2.0"}', '{"id":-1.5,"jsonrpc":"2.0","method":""}'],
		notification: ['{"jsonrpc":"2.0","method":"a"}', '{"params":{},"method":"a","jsonrpc":"2.0"}'],
		result: ['{"result":{},"id":1,"jsonrpc":"2.0"}', '{"jsonrpc":"\\u0032.0","id":"","result":{}}'],
		error: [
			'{"jsonrpc":"2.0","id":1,"error":{"code":-1,"message":""}}',
			'{"jsonrpc":"2.0","id":null,"error":{}}',
			'{"jsonrpc":"2.0","error":{}}',
		],
	};
	for (const [kind, texts] of Object.entries(kinds)) {
		for (const text of texts) assert.equal(accept(text).kind, kind, text);
	}
});

test("the id is kept as it was written", () => {
	for (const id of ["1.0", "12345678901234567890", "-0", '"\\u0061"', '""', "1e3"]) {
		const message = accept(`{"jsonrpc":"2.0","id":${id},"method":"a"}`);
		assert.equal(message.id && rawText(message.bytes, message.id), id);
	}
});

test("_meta is taken from params or result, and only where it is an object", () => {
	const result = accept('{"jsonrpc":"2.0","id":1,"result":{"_m\\u0065ta":{"a":1}}}');
	assert.equal(raw(result, result.meta), '{"a":1}');
	const call = accept('{"jsonrpc":"2.0","method":"a","params":{"x":{"_meta":{}},"_meta":[]}}');
	assert.equal(call.meta, undefined);
	for (const both of ['"result":{},"params":{"_meta":{}}', '"params":{"_meta":{}},"result":{}']) {
		assert.equal(accept(`{"jsonrpc":"2.0","id":1,${both}}`).meta, undefined);
	}
});

test("what is JSON but not a message is refused with the id of its sender", () => {
	const head = '{"jsonrpc":"2.0","id":"q1"';
	for (const text of [
		`${head}}`,
		`${head},"method":1}`,
		`${head},"method":null}`,
		`${head},"method":"a","params":[]}`,
		`${head},"method":"a","params":null}`,
		`${head},"method":"a","params":1}`,
		`${head},"method":"a","result":{}}`,
		`${head},"method":"a","error":{}}`,
		`${head},"result":null}`,
		`${head},"result":[]}`,
		`${head},"result":"x"}`,
		`${head},"error":"x"}`,
		`${head},"error":null}`,
		`${head},"result":{},"error":{}}`,
		`${head},"result":{},"error":null}`,
		'{"id":"q1","method":"a"}',
		'{"jsonrpc":2.0,"id":"q1","method":"a"}',
		'{"jsonrpc":"2.0 ","id":"q1","method":"a"}',
		'{"jsonrpc":12.05,"id":"q1","method":"a"}',
		'{"jsonrpc":"2x0","id":"q1","method":"a"}',
		'{"jsonrpc":"1.0","id":"q1","method":"a"}',
		'{"jsonrpc":"2.1","id":"q1","method":"a"}',
		'{"jsonrpc":null,"id":"q1","method":"a"}',
	]) {
		const problem = refuse(text);
		assert.equal(problem.code, -32600, text);
		assert.equal(problem.id, '"q1"', text);
	}
});

test("an id that is neither a string nor a number is refused and not repeated", () => {
	for (const id of ["null", "true", "[]", "{}", '{"a":1}']) {
		for (const rest of ['"method":"a"', '"result":{}']) {
			const problem = refuse(`{"jsonrpc":"2.0","id":${id},${rest}}`);
			assert.deepEqual([problem.code, problem.id], [-32600, undefined]);
		}
	}
	assert.equal(refuse('{"jsonrpc":"2.0","result":{}}').code, -32600);
	assert.equal(refuse('{"jsonrpc":"2.0","id":true,"error":{}}').code, -32600);
});

test("JSON that is not an object is refused", () => {
	for (const text of ["1", '"a"', "null", "[]", '[{"jsonrpc":"2.0","method":"a"}]']) {
		assert.equal(refuse(text).code, -32600, text);
	}
});

test("a member twice is refused wherever the gateway or the other side might read it", () => {
	for (const text of [
		'{"jsonrpc":"2.0","method":"a","method":"b"}',
		'{"jsonrpc":"2.0","method":"a","m\\u0065thod":"b"}',
		'{"jsonrpc":"2.0","id":1,"method":"a","x":1,"x":1}',
		'{"jsonrpc":"2.0","method":"a","params":{"name":"a","n\\u0061me":"b"}}',
		'{"jsonrpc":"2.0","method":"a","params":{},"params":{}}',
		'{"jsonrpc":"2.0","method":"a","params":{"_meta":{"a":1,"a":2}}}',
		'{"jsonrpc":"2.0","method":"a","params":{"_meta":1,"_meta":{}}}',
		'{"jsonrpc":"2.0","id":1,"result":{"a":1,"a":1}}',
		'{"jsonrpc":"2.0","id":1,"result":{"_meta":{"ä":1,"\\u00e4":1}}}',
		'{"jsonrpc":"2.0","id":1,"error":{"code":1,"code":2}}',
	]) {
		const problem = refuse(text);
		assert.equal(problem.code, -32600, text);
		assert.match(problem.message, /two members of the same name/u);
	}
	accept('{"jsonrpc":"2.0","method":"a","params":{"arguments":{"a":1,"a":2}}}');
});

test("duplicates are found among many members too, and too many members are refused", () => {
	const many = Array.from({ length: members_max }, (_, index) => `"k${index}":${index}`);
	assert.equal(accept(withParams(many)).params?.members.length, members_max);
	assert.match(refuse(withParams([...many.slice(1), '"k77":0'])).message, /same name/u);
	const problem = refuse(withParams([...many, '"one":0']));
	assert.equal(problem.code, -32600);
	assert.match(problem.message, /more than 4096 members/u);
	for (const count of [15, 16, 17, 18]) {
		accept(withParams(many.slice(0, count)));
		assert.match(refuse(withParams([...many.slice(0, count), '"k0":0'])).message, /same name/u);
	}
});

test("what is not JSON is refused as such, with the id where it came before the fault", () => {
	for (const [text, id] of [
		["", undefined],
		["{", undefined],
		['{"jsonrpc":"2.0","id":4,"method":"a"', "4"],
		['{"jsonrpc":"2.0","id":4,"method":"a"}}', "4"],
		['{"jsonrpc":"2.0","id":4,"result":{"a":tru}}', "4"],
		['{"jsonrpc":"2.0","id":4,"method":"a",}', "4"],
		['{"jsonrpc":"2.0","id":4', "4"],
		['{"jsonrpc":"2.0","id":"4', undefined],
		['{"result":{"a":tru},"id":4}', undefined],
		['{"id":4,"id":5,', undefined],
		["ready, listening on stdio", undefined],
		["\ufeff{}", undefined],
	] as const) {
		const problem = refuse(text);
		assert.deepEqual([problem.code, problem.id], [-32700, id], text);
	}
	assert.match(refuse('{"a":').message, /ends too early/u);
	assert.match(refuse('{"a":!}').message, /offset 5/u);
});

test("not being JSON outranks what is wrong with the message", () => {
	for (const text of ['{"a":1,"a":1', '{"params":[],', "[1,]", '{"params":{"a":1,"a":1}}}']) {
		assert.equal(refuse(text).code, -32700, text);
	}
});

test("invalid UTF-8 is refused wherever it stands", () => {
	const head = Buffer.from('{"jsonrpc":"2.0","id":1,"method":"a","params":{"x":"');
	for (const bad of [[0xff], [0xc3], [0xed, 0xa0, 0x80], [0xc0, 0x80], [0xf5, 0x80, 0x80, 0x80]]) {
		const problem = refuse(Buffer.concat([head, Buffer.from(bad), Buffer.from('"}}')]));
		assert.deepEqual([problem.code, problem.id], [-32700, "1"]);
		assert.match(problem.message, /UTF-8/u);
	}
	const in_id = Buffer.from('{"jsonrpc":"2.0","id":"?","method":"a"}');
	in_id[in_id.indexOf("?")] = 0xff;
	assert.deepEqual([refuse(in_id).code, refuse(in_id).id], [-32700, undefined]);
});

test("nesting is limited to 128 levels, the message itself counted", () => {
	for (const [open, close, levels] of [
		['{"jsonrpc":"2.0","id":1,"result":{"a":', "}}", 2],
		['{"jsonrpc":"2.0","id":1,"method":"a","params":{"_meta":{"a":', "}}}", 3],
		['{"jsonrpc":"2.0","id":1,"method":"a","x":', "}", 1],
		['{"jsonrpc":"2.0","id":1,"error":{"a":[', "]}}", 3],
	] as const) {
		accept(open + nested(128 - levels) + close);
		const problem = refuse(open + nested(129 - levels) + close);
		assert.deepEqual([problem.code, problem.id], [-32700, "1"]);
		assert.match(problem.message, /128 levels/u);
		assert.equal(refuse(open + nested(1_000_000) + close).code, -32700);
	}
	accept(withParams([`"_meta":${nested(126)}`]));
	assert.equal(refuse(withParams([`"_meta":${nested(127)}`])).code, -32700);
});

test("a batch is indexed message by message, each over its own part of the bytes", () => {
	const texts = [
		'{"jsonrpc":"2.0","id":1,"method":"a"}',
		'{"jsonrpc":"2.0", "method":"b"}',
		'{"jsonrpc":"2.0","id":2,"result":{"x":1.0}}',
	];
	const bytes = Buffer.from(` [ ${texts.join(" ,\n")} ] `);
	assert.ok(isBatch(bytes));
	const batch = indexBatch(bytes);
	assert.ok(batch.ok);
	assert.deepEqual(
		batch.value.map((message) => message.bytes.toString()),
		texts,
	);
	assert.equal(batch.value[0]?.bytes.buffer, bytes.buffer);
	assert.equal(batch.value[2]?.kind, "result");
});

test("a batch that is empty, too long, broken or has an invalid message in it is refused", () => {
	const one = '{"jsonrpc":"2.0","method":"a"}';
	const full = `[${Array.from({ length: batch_messages_max }, () => one).join(",")}]`;
	assert.ok(indexBatch(Buffer.from(full)).ok);
	for (const [text, code] of [
		["[]", -32600],
		[" [ ] ", -32600],
		[one, -32600],
		["[1]", -32600],
		[`[${one},[${one}]]`, -32600],
		[`${full.slice(0, -1)},${one}]`, -32600],
		[`[${one}`, -32700],
		[`[${one},]`, -32700],
		[`[${one}]]`, -32700],
		["", -32700],
		[`[${nested(200)}]`, -32700],
	] as const) {
		const batch = indexBatch(Buffer.from(text));
		assert.ok(!batch.ok);
		assert.equal(batch.problem.code, code, text.slice(0, 60));
	}
	const deep = withParams([`"a":${nested(126)}`]);
	assert.ok(indexBatch(Buffer.from(`[${deep}]`)).ok);
	const second = indexBatch(Buffer.from(`[${one},{"jsonrpc":"2.0","id":9}]`));
	assert.equal(second.ok ? undefined : second.problem.id, "9");
});

test("a batch is told by its first byte that is not space", () => {
	for (const text of ["[", " \r\n\t[", "[]"]) assert.ok(isBatch(Buffer.from(text)));
	for (const text of ["", " ", "{", " {[", '"[', "\ufeff["]) assert.ok(!isBatch(Buffer.from(text)));
});

/** Envelope members as senders might write them, mostly right. */
const envelope_members = fc
	.record(
		{
			'"jsonrpc"': fc.constantFrom('"2.0"', '"2.0"', '"2.0"', '"2\\u002e0"', "2.0"),
			'"id"': fc.constantFrom("1", "1", '"a"', "1.0", "null", "{}"),
			'"method"': fc.constantFrom('"tools/call"', '"a"', '"a\\/b"', "1"),
			'"params"': fc.oneof({ weight: 4, arbitrary: object_text }, value_text),
			'"result"': fc.oneof({ weight: 4, arbitrary: object_text }, value_text),
			'"error"': fc.oneof({ weight: 4, arbitrary: object_text }, value_text),
		},
		{ requiredKeys: ['"jsonrpc"'] },
	)
	.chain((known) =>
		unique_members.chain((others) => {
			const free = others.filter(([key]) => JSON.parse(key) !== "id");
			const all: [string, string][] = [...Object.entries(known), ...free];
			return fc.shuffledSubarray(all, { minLength: all.length, maxLength: all.length });
		}),
	);

const message_text = objectText(envelope_members);

const request_text = objectText(
	fc.tuple(objectText(unique_members), fc.constantFrom("1", '"x"', "1.0")).chain(([params, id]) =>
		fc.shuffledSubarray<[string, string]>(
			[
				['"jsonrpc"', '"2.0"'],
				['"id"', id],
				['"method"', '"tools/call"'],
				['"params"', params],
			],
			{ minLength: 4, maxLength: 4 },
		),
	),
);

/** Whether an object node of an independent parser, or one within it at a key, repeats a key. */
function repeatsKey(node: Node | undefined, ...within: string[][]): boolean {
	if (node?.type !== "object") return false;
	const keys = (node.children ?? []).map((child) => child.children?.[0]?.value as string);
	if (new Set(keys).size < keys.length) return true;
	const [wanted, ...rest] = within;
	return (node.children ?? []).some(
		(child, at) => wanted?.includes(keys[at] as string) && repeatsKey(child.children?.[1], ...rest),
	);
}

/** The rules of a message once more, on a parsed value. */
function expectedKind(bytes: Buffer): string {
	const parsed = parseStrictly(bytes);
	if (parsed === undefined) return "-32700";
	if (!isObject(parsed.value)) return "-32600";
	const tree = parseTree(bytes.toString());
	const bodies = ["params", "result"];
	if (repeatsKey(tree, bodies, ["_meta"]) || repeatsKey(tree, ["error"])) return "-32600";
	const message = parsed.value as Record<string, unknown>;
	const has = (key: string) => Object.hasOwn(message, key);
	if (message["jsonrpc"] !== "2.0") return "-32600";
	if (["params", "result", "error"].some((key) => has(key) && !isObject(message[key]))) {
		return "-32600";
	}
	const has_id = typeof message["id"] === "string" || typeof message["id"] === "number";
	if (has("method")) {
		if (typeof message["method"] !== "string" || has("result") || has("error")) return "-32600";
		if (has("id")) return has_id ? "request" : "-32600";
		return "notification";
	}
	if (has("result") === has("error")) return "-32600";
	if (has("result")) return has_id ? "result" : "-32600";
	return has_id || !has("id") || message["id"] === null ? "error" : "-32600";
}

function checkAgainstParser(bytes: Buffer): void {
	const indexed = indexMessage(bytes);
	const outcome = indexed.ok ? indexed.value.kind : String(indexed.problem.code);
	assert.equal(outcome, expectedKind(bytes), bytes.toString());
	if (!indexed.ok) return;
	const message = indexed.value;
	const parsed = parseJsonText(bytes.toString()) as Record<string, Record<string, unknown>>;
	assert.deepEqual(readJson(bytes, message.envelope.span), parsed);
	assert.equal(readJson(bytes, message.id), parsed["id"]);
	assert.equal(message.method, parsed["method"]);
	for (const key of ["params", "result", "error"] as const) {
		assert.deepEqual(readJson(bytes, message[key]?.span), parsed[key]);
		for (const member of message[key]?.members ?? []) {
			const value = Object.getOwnPropertyDescriptor(parsed[key], member.key)?.value as unknown;
			assert.deepEqual(readJson(bytes, member.value), value);
		}
	}
	const meta = (message.result === undefined ? parsed["params"] : parsed["result"])?.["_meta"];
	assert.deepEqual(readJson(bytes, message.meta?.span), isObject(meta) ? meta : undefined);
}

test("any message is indexed as JSON.parse and the rules of JSON-RPC have it", () => {
	fc.assert(
		fc.property(fc.oneof(message_text, request_text), (text) =>
			checkAgainstParser(Buffer.from(text)),
		),
		{ numRuns: 1000 },
	);
});

test("a damaged message is refused exactly where a parser and the rules refuse it", () => {
	fc.assert(
		fc.property(
			fc.oneof(message_text, request_text),
			fc.array(damage, { minLength: 1, maxLength: 3 }),
			(text, damages) => checkAgainstParser(damages.reduce(damaged, Buffer.from(text))),
		),
		{ numRuns: 2000 },
	);
});

test("a result of many megabytes is indexed, its text untouched", () => {
	const text = "line of text with ä and \\n in it ".repeat(160_000);
	const message = accept(`{"jsonrpc":"2.0","id":1,"result":{"content":[{"text":"${text}"}]}}`);
	const content = memberSpan(message.result, "content");
	assert.equal(content && content.end - content.start > 5_000_000, true);
});
