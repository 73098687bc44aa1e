import type { CallRecord } from "../../src/telemetry/call-record.ts";

/** The record of a call that went well, with changes. */
export function sampleRecord(change: Partial<CallRecord> = {}): CallRecord {
	return {
		id: "0192f0c1-0000-7000-8000-000000000001",
		request_id: "1",
		trace_id: "4bf92f3577b34da6a3ce929d0e0e4736",
		span_id: "a3ce929d0e0e4730",
		parent_span_id: "00f067aa0ba902b7",
		sampled: true,
		ts_ms: Date.UTC(2026, 0, 1),
		method: "tools/call",
		name: "push",
		endpoint: "git",
		server: "git",
		version: "1",
		instance: "",
		tenant: "acme",
		user: "ana",
		principal: "acme/ana",
		made_by: undefined,
		client_id: "key:laptop",
		client_name: "agent",
		client_version: "1",
		client_revision: "2026-07-28",
		client_era: "modern",
		upstream_revision: "2025-11-25",
		upstream_era: "legacy",
		session_id: undefined,
		status: "ok",
		code: undefined,
		error_id: undefined,
		error_message: undefined,
		duration_ms: 10,
		queue_ms: 0,
		wake_ms: 0,
		upstream_ms: 8,
		policy_ms: 0,
		approval_ms: 0,
		audit_ms: 0,
		decision: "allow",
		rule: undefined,
		approval_id: undefined,
		risk: "read",
		input_bytes: 100,
		output_bytes: 200,
		inputHash: () => "ab".repeat(32),
		request: () => Buffer.alloc(0),
		reply: () => undefined,
		...change,
	};
}

/** The same of a call that failed at its server. */
export function failedRecord(change: Partial<CallRecord> = {}): CallRecord {
	return sampleRecord({ status: "server_error", code: "tool_error", ...change });
}
