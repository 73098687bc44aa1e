import type { AnsweredRequest } from "../../src/telemetry/call-record.ts";

/** A request whose credential was not known, with changes. */
export function sampleAnswered(changes: Partial<AnsweredRequest> = {}): AnsweredRequest {
	return {
		id: "0198a000-0000-7000-8000-000000000001",
		request_id: "null",
		trace_id: "4bf92f3577b34da6a3ce929d0e0e4736",
		span_id: "00f067aa0ba902b7",
		parent_span_id: undefined,
		ts_ms: Date.UTC(2026, 0, 1, 12),
		duration_ms: 0,
		method: "POST",
		endpoint: "github",
		is_offered: true,
		tenant: undefined,
		user: undefined,
		client_id: undefined,
		client_name: undefined,
		client_version: undefined,
		client_revision: undefined,
		client_era: undefined,
		session_id: undefined,
		status: "client_error",
		code: "credential_unknown",
		error_id: "e-1",
		error_message: "This key is not known here.",
		input_bytes: 0,
		output_bytes: 27,
		requests: 1,
		...changes,
	};
}
