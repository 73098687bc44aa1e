import type { CallLine } from "./call-line.ts";
import type { AnsweredRequest } from "./call-record.ts";
import { isoTime, type LineRedactor, micros, safeText } from "./line-text.ts";

/** The line of a request that was answered before it became a call, without its newline. */
export function answeredLine(request: AnsweredRequest, redactor: LineRedactor): string {
	const text = (value: string | undefined) =>
		value === undefined || value === "" ? null : safeText(value, redactor);
	const is_ok = request.status === "ok";
	const line: CallLine = {
		ts: isoTime(request.ts_ms + request.duration_ms),
		service: "moorage",
		id: request.id,
		tenant_id: text(request.tenant),
		user: text(request.user),
		made_by: null,
		client_id: text(request.client_id),
		client_name: text(request.client_name),
		client_version: text(request.client_version),
		session_id: text(request.session_id),
		client_revision: text(request.client_revision),
		client_era: request.client_era ?? null,
		endpoint: text(request.endpoint) ?? "",
		server: null,
		version: null,
		instance: null,
		method: text(request.method) ?? "",
		tool: null,
		name: null,
		risk: null,
		upstream_revision: null,
		upstream_era: null,
		status: request.status,
		code: is_ok ? null : text(request.code),
		error: is_ok ? null : text(request.error_message),
		error_id: is_ok ? null : text(request.error_id),
		requests: request.requests,
		duration_ms: micros(request.duration_ms),
		queue_ms: 0,
		wake_ms: 0,
		approval_ms: 0,
		upstream_ms: 0,
		policy_ms: 0,
		audit_ms: 0,
		decision: null,
		rule: null,
		approval_id: null,
		input_bytes: request.input_bytes,
		output_bytes: request.output_bytes,
		input_hash: null,
		request_id: text(request.request_id) ?? "null",
		trace_id: request.trace_id,
		span_id: request.span_id,
		parent_span_id: request.parent_span_id ?? null,
	};
	return JSON.stringify(line);
}
