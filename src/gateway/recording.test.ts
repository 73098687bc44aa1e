import assert from "node:assert/strict";
import { test } from "node:test";
import { callFor } from "../../test/support/calls.ts";
import { FakeClock } from "../../test/support/fake-clock.ts";
import { SeededRandom } from "../../test/support/seeded-random.ts";
import { makeFault } from "../protocol/fault.ts";
import { indexMessage } from "../wire/index-message.ts";
import { type Reply, rpcError } from "./call.ts";
import type { GatewayContext } from "./context.ts";
import { recordOf } from "./recording.ts";

const context = {
	clock: new FakeClock(),
	versionOf: () => "1",
	catalogs: new Map(),
} as unknown as GatewayContext;
const trace = "4bf92f3577b34da6a3ce929d0e0e4736";

function replyOf(body: object): Reply {
	const message = indexMessage(Buffer.from(JSON.stringify({ jsonrpc: "2.0", id: 1, ...body })));
	assert.ok(message.ok);
	return { kind: "message", message: message.value, edits: [] };
}

function toolCall(params: object = {}) {
	return callFor({ method: "tools/call", params: { name: "t", arguments: { a: 1 }, ...params } });
}

function faultOf(code: "call_timeout" | "policy_denied" | "server_exited"): Reply {
	const parts = { code, message: "Why.", level: "info", retry_safe: true } as const;
	return { kind: "fault", fault: makeFault(new SeededRandom(1), parts) };
}

test("every way a call can end has its status and its code", () => {
	const outcomes: [Reply, string, string | undefined][] = [
		[replyOf({ result: {} }), "ok", undefined],
		[replyOf({ result: { isError: true, content: [] } }), "server_error", "tool_error"],
		[replyOf({ error: { code: -32602, message: "" } }), "client_error", "rpc_-32602"],
		[replyOf({ error: { code: -32603, message: "" } }), "server_error", "rpc_-32603"],
		[rpcError(-32601, "Method not found"), "client_error", "rpc_-32601"],
		[{ kind: "result", json: "{}" }, "ok", undefined],
		[faultOf("call_timeout"), "timeout", "call_timeout"],
		[faultOf("policy_denied"), "client_error", "policy_denied"],
		[faultOf("server_exited"), "server_error", "server_exited"],
	];
	for (const [reply, status, code] of outcomes) {
		const record = recordOf(toolCall(), reply, context);
		assert.deepEqual([record.status, record.code], [status, code]);
	}
});

test("a fault's id stands in the record, so that reply, log and history can be joined", () => {
	const reply = faultOf("server_exited");
	assert.ok(reply.kind === "fault");
	assert.equal(recordOf(toolCall(), reply, context).error_id, reply.fault.id);
});

test("the client's trace goes on, and one that is malformed does not", () => {
	const sent = `00-${trace}-00f067aa0ba902b7-01`;
	const record = recordOf(toolCall({ _meta: { traceparent: sent } }), undefined, context);
	assert.deepEqual(
		[record.trace_id, record.parent_span_id, record.sampled],
		[trace, "00f067aa0ba902b7", true],
	);
	for (const bad of [`00-${"0".repeat(32)}-00f067aa0ba902b7-01`, `01-${trace}`, "x"]) {
		const fresh = recordOf(toolCall({ _meta: { traceparent: bad } }), undefined, context);
		assert.match(fresh.trace_id, /^[0-9a-f]{32}$/);
		assert.notEqual(fresh.trace_id, trace);
		assert.match(fresh.span_id, /^[0-9a-f]{16}$/);
		assert.equal(fresh.parent_span_id, undefined);
	}
});

test("the hash is over what was asked, not over who asked or when", () => {
	const hash = (params: object) => recordOf(toolCall(params), undefined, context).inputHash();
	assert.equal(hash({}), hash({ _meta: { progressToken: 7 } }));
	assert.notEqual(hash({}), hash({ arguments: { a: 2 } }));
});
