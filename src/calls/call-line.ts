import type { CallRecord } from "../telemetry/call-record.ts";

/**
 * One line of the call log: docs/call-log.schema.json says what each member means. Every member is
 * in every line; what does not apply is null. There is nothing of a payload in it.
 */
export interface CallLine {
	/** Time of the call's end, as ISO 8601 in UTC. */
	readonly ts: string;
	readonly service: "moorage";
	readonly id: string;
	readonly tenant_id: string;
	readonly user: string;
	readonly client_id: string | null;
	readonly client_name: string;
	readonly client_version: string;
	readonly session_id: string | null;
	readonly endpoint: string;
	readonly server: string | null;
	readonly version: string | null;
	readonly instance: string | null;
	readonly method: string;
	/** Of `tools/call`. */
	readonly tool: string | null;
	/** Prompt name or uri, of other methods. */
	readonly name: string | null;
	readonly status: CallRecord["status"];
	readonly code: string | null;
	readonly error: string | null;
	readonly error_id: string | null;
	readonly duration_ms: number;
	readonly queue_ms: number;
	readonly wake_ms: number;
	readonly upstream_ms: number;
	readonly policy_ms: number;
	readonly approval_ms: number;
	readonly decision: string | null;
	readonly rule: string | null;
	readonly approval_id: string | null;
	readonly risk: string | null;
	readonly input_bytes: number;
	readonly output_bytes: number;
	readonly input_hash: string;
	readonly request_id: string;
	readonly trace_id: string;
	readonly span_id: string;
	readonly parent_span_id: string | null;
	readonly client_revision: string;
	readonly client_era: "legacy" | "modern";
	readonly upstream_revision: string | null;
	readonly upstream_era: "legacy" | "modern" | null;
}

/** Longest text a client or a server chose that stands in a line. */
export const text_chars_max = 512;

/** The line of a call, without its newline. `safe` takes secrets out of what others wrote. */
export function callLine(record: CallRecord, safe: (text: string) => string): string {
	const name = record.name === undefined ? null : safe(cut(record.name));
	const is_tool = record.method === "tools/call";
	const line: CallLine = {
		ts: new Date(record.ts_ms + record.duration_ms).toISOString(),
		service: "moorage",
		id: record.id,
		tenant_id: record.tenant,
		user: record.user,
		client_id: record.client_id ?? null,
		client_name: cut(record.client_name),
		client_version: cut(record.client_version),
		session_id: record.session_id ?? null,
		endpoint: record.endpoint,
		server: record.server ?? null,
		version: record.version ?? null,
		instance: record.instance ?? null,
		method: cut(record.method),
		tool: is_tool ? name : null,
		name: is_tool ? null : name,
		status: record.status,
		code: record.code ?? null,
		error: record.error_message === undefined ? null : safe(cut(record.error_message)),
		error_id: record.error_id ?? null,
		duration_ms: micros(record.duration_ms),
		queue_ms: micros(record.queue_ms),
		wake_ms: micros(record.wake_ms),
		upstream_ms: micros(record.upstream_ms),
		policy_ms: micros(record.policy_ms),
		approval_ms: micros(record.approval_ms),
		decision: record.decision ?? null,
		rule: record.rule ?? null,
		approval_id: record.approval_id ?? null,
		risk: record.risk ?? null,
		input_bytes: record.input_bytes,
		output_bytes: record.output_bytes,
		input_hash: record.inputHash(),
		request_id: cut(record.request_id),
		trace_id: record.trace_id,
		span_id: record.span_id,
		parent_span_id: record.parent_span_id ?? null,
		client_revision: record.client_revision,
		client_era: record.client_era,
		upstream_revision: record.upstream_revision ?? null,
		upstream_era: record.upstream_era ?? null,
	};
	return JSON.stringify(line);
}

function cut(text: string): string {
	return text.length <= text_chars_max ? text : `${text.slice(0, text_chars_max - 1)}…`;
}

/** Milliseconds to the microsecond. */
function micros(duration_ms: number): number {
	return Math.round(duration_ms * 1000) / 1000;
}
