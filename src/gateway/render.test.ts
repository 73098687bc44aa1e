import assert from "node:assert/strict";
import { test } from "node:test";
import { type Fault, type FaultCode, fault_rpc_codes } from "../protocol/fault.ts";
import { indexMessage } from "../wire/index-message.ts";
import { memberSpan } from "../wire/object.ts";
import { replaceSpan } from "../wire/splice.ts";
import { type Reply, rpcError } from "./call.ts";
import { renderReply } from "./render.ts";

const eras = ["legacy", "modern"] as const;
const codes = Object.keys(fault_rpc_codes) as FaultCode[];

function render(reply: Reply, method: string, era: "legacy" | "modern", id = "7") {
	const rendered = renderReply(reply, { id, method, era });
	return { ...rendered, text: rendered.bytes.toString("utf8") };
}

function faultOf(code: FaultCode, server?: string): Reply {
	const fault: Fault = {
		code,
		message: 'The server "time" did "this".',
		detail: "secret detail",
		level: "warn",
		id: "AbCd1234",
		server,
		retry_safe: code === "server_starting",
	};
	return { kind: "fault", fault };
}

function replyOf(text: string): Extract<Reply, { kind: "message" }> {
	const indexed = indexMessage(Buffer.from(text));
	assert.ok(indexed.ok);
	return { kind: "message", message: indexed.value, edits: [] };
}

for (const era of eras) {
	test(`every fault of a tool call is a result that a ${era} client's model can read`, () => {
		for (const code of codes) {
			const { text, status, outcome } = render(faultOf(code, "time"), "tools/call", era);
			assert.deepEqual(JSON.parse(text), {
				jsonrpc: "2.0",
				id: 7,
				result: {
					...(era === "modern" ? { resultType: "complete" } : {}),
					content: [{ type: "text", text: 'The server "time" did "this".' }],
					isError: true,
					_meta: {
						"dev.moorage/error": {
							code,
							server: "time",
							error_id: "AbCd1234",
							retry_safe: code === "server_starting",
						},
					},
				},
			});
			assert.deepEqual([status, outcome], [200, "fault"]);
			assert.doesNotMatch(text, /secret detail/);
		}
	});

	test(`every fault of another method is an error of our own for a ${era} client`, () => {
		for (const code of codes) {
			const { text, outcome } = render(faultOf(code), "resources/read", era, '"a\\u0062"');
			assert.ok(text.includes('"id":"a\\u0062"'));
			const { error } = JSON.parse(text) as { error: { code: number; data: object } };
			assert.equal(error.code, fault_rpc_codes[code]);
			assert.ok(error.code > -32000 || error.code < -32768);
			assert.deepEqual(error.data, {
				code,
				error_id: "AbCd1234",
				retry_safe: code === "server_starting",
			});
			assert.equal(outcome, "fault");
			assert.doesNotMatch(text, /secret detail/);
		}
	});
}

test("no two faults share a code", () => {
	assert.equal(new Set(Object.values(fault_rpc_codes)).size, codes.length);
});

test("a server's reply goes out with the client's id and nothing else changed", () => {
	const reply = '{ "x":1.0,"jsonrpc":"2.0", "id": 99 ,"result":{"n":12345678901234567890} }';
	const { text, status, outcome } = render(replyOf(reply), "tools/call", "legacy", '"\\u0061"');
	assert.equal(text, reply.replace("99", '"\\u0061"'));
	assert.deepEqual([status, outcome], [200, "ok"]);
});

test("edits of a reply are applied beside its id", () => {
	const reply = replyOf('{"jsonrpc":"2.0","id":1,"result":{"uri":"a"}}');
	const span = memberSpan(reply.message.result, "uri");
	assert.ok(span !== undefined);
	reply.edits.push(replaceSpan(span, '"b"'));
	assert.equal(render(reply, "x", "modern").text, '{"jsonrpc":"2.0","id":7,"result":{"uri":"b"}}');
});

test("an error that a server made keeps its bytes, and its status follows the revision", () => {
	const statuses = [
		[-32601, 404],
		[-32021, 400],
		[-32602, 200],
		[-32603, 200],
		[1, 200],
	] as const;
	for (const [code, modern_status] of statuses) {
		const reply = () => replyOf(`{"jsonrpc":"2.0","id":1,"error":{"code":${code},"message":"m"}}`);
		const modern = render(reply(), "tools/list", "modern");
		assert.equal(modern.text, `{"jsonrpc":"2.0","id":7,"error":{"code":${code},"message":"m"}}`);
		assert.deepEqual([modern.status, modern.outcome], [modern_status, "rpc_error"]);
		assert.equal(render(reply(), "tools/list", "legacy").status, 200);
	}
});

test("an error of the protocol has its status in the modern revision only", () => {
	const statuses = [
		[-32700, 400],
		[-32600, 400],
		[-32601, 404],
		[-32602, 200],
		[-32020, 400],
		[-32021, 400],
		[-32022, 400],
	] as const;
	for (const [code, status] of statuses) {
		const reply = rpcError(code, "no", { why: 1 });
		assert.equal(render(reply, "tools/call", "modern").status, status, String(code));
		const legacy = render(reply, "tools/call", "legacy");
		assert.equal(legacy.status, 200);
		assert.deepEqual(JSON.parse(legacy.text), {
			jsonrpc: "2.0",
			id: 7,
			error: { code, message: "no", data: { why: 1 } },
		});
	}
});

test("a result made here is put in as it is", () => {
	const { text, outcome } = render({ kind: "result", json: '{"a":1.0}' }, "ping", "legacy");
	assert.equal(text, '{"jsonrpc":"2.0","id":7,"result":{"a":1.0}}');
	assert.equal(outcome, "ok");
});
