import assert from "node:assert/strict";
import { test } from "node:test";
import { callFor } from "../../../test/support/calls.ts";
import type { Lease } from "../../hosting/hosting.ts";
import { parseTraceparent } from "../../telemetry/traces/trace-context.ts";
import { applyEdits } from "../../wire/splice.ts";
import type { GatewayContext, TracePropagation } from "../context.ts";
import { traceOf } from "../recording.ts";
import { continueTrace } from "./continue-trace.ts";
import { translateRequest } from "./translate-request.ts";

const traceparent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00";
const baggage = "tier=gold,user=ana";

/** What a server of an era is sent for these params; the client is a modern one. */
function sent(params: object, era: "legacy" | "modern", tracing: TracePropagation | undefined) {
	const call = callFor({ method: "tools/call", params: { name: "t", ...params } });
	const hello = { era, revision: era === "modern" ? "2026-07-28" : "2025-11-25" };
	call.lease = { upstream: { hello } } as unknown as Lease;
	const context = { tracing } as unknown as GatewayContext;
	continueTrace(call, context);
	translateRequest(call, context);
	const text = applyEdits(call.message.bytes, call.edits).toString();
	return { call, message: JSON.parse(text) as { params: { _meta?: Record<string, unknown> } } };
}

const keeps_none: TracePropagation = { keeps: () => false, baggage: ["tier"] };

for (const era of ["modern", "legacy"] as const) {
	test(`a ${era} server is told of the call's own span, and of trusted baggage alone`, () => {
		const { call, message } = sent({ _meta: { x: 1.0, traceparent, baggage } }, era, keeps_none);
		const { _meta } = message.params;
		assert.equal(_meta?.["x"], 1);
		assert.equal(_meta?.["baggage"], "tier=gold");
		const told = parseTraceparent(String(_meta?.["traceparent"]));
		assert.equal(told?.trace_id, traceOf(call).trace_id);
		assert.notEqual(told?.span_id, "00f067aa0ba902b7");
		assert.notEqual(told?.span_id, traceOf(call).span_id);
		assert.equal(told?.sampled, false);
		assert.equal(call.traceparent, _meta?.["traceparent"]);
	});

	test(`a ${era} server is told of a trace that begins here`, () => {
		const { call, message } = sent({}, era, { keeps: () => true, baggage: [] });
		const told = parseTraceparent(String(message.params._meta?.["traceparent"]));
		assert.equal(told?.trace_id, traceOf(call).trace_id);
		assert.equal(told?.sampled, true);
	});

	test(`without tracing a ${era} server gets the client's trace as it came, and no baggage`, () => {
		const { message } = sent({ _meta: { traceparent, baggage } }, era, undefined);
		assert.deepEqual(message.params._meta, { traceparent });
	});
}

test("without anything of a trace the message stays as it is", () => {
	const { call } = sent({ _meta: { x: 1 } }, "modern", undefined);
	assert.deepEqual(call.edits, []);
});
