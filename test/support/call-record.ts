import { createHash } from "node:crypto";
import type { CallRecord } from "../../src/telemetry/call-record.ts";

/** A call's record for tests of evidence: a tool of class `write` that went well. */
export function sampleRecord(
	changes: Partial<CallRecord> = {},
	payloads: { readonly request?: Buffer; readonly reply?: Buffer } = {},
): CallRecord {
	const request = payloads.request ?? Buffer.from('{"name":"echo","arguments":{"text":"hi"}}');
	const reply = payloads.reply ?? Buffer.from('{"content":[{"type":"text","text":"hi"}]}');
	return {
		id: "0198a000-0000-7000-8000-000000000001",
		request_id: "1",
		trace_id: "4bf92f3577b34da6a3ce929d0e0e4736",
		span_id: "00f067aa0ba902b7",
		parent_span_id: undefined,
		sampled: undefined,
		ts_ms: Date.UTC(2026, 0, 1, 12),
		method: "tools/call",
		name: "echo",
		endpoint: "mcp",
		server: "github",
		version: "3",
		instance: "github#1",
		tenant: "acme",
		user: "ana",
		principal: "acme/ana",
		made_by: undefined,
		client_id: "key:laptop",
		client_name: "inspector",
		client_version: "1.0.0",
		client_revision: "2025-11-25",
		client_era: "legacy",
		upstream_revision: "2025-11-25",
		upstream_era: "legacy",
		session_id: "f0b7c0de-0000-4000-8000-000000000002",
		status: "ok",
		code: undefined,
		error_id: undefined,
		error_message: undefined,
		duration_ms: 12.345678,
		queue_ms: 0,
		wake_ms: 0,
		upstream_ms: 10.5,
		policy_ms: 0.02,
		approval_ms: 0,
		audit_ms: 0,
		decision: "allow",
		rule: undefined,
		approval_id: undefined,
		risk: "reversible",
		input_bytes: request.length,
		output_bytes: reply.length,
		inputHash: () => createHash("sha256").update(request).digest("hex"),
		request: () => request,
		reply: () => reply,
		...changes,
	};
}
