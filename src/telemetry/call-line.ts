import type { CallRecord } from "./call-record.ts";

/**
 * One line of the call log: docs/call-log.schema.json says what each member means. Every member is
 * in every line; what does not apply is null. There is nothing of a payload in it.
 */
export interface CallLine {
	/** Time of the call's end, as ISO 8601 in UTC. */
	readonly ts: string;
	readonly service: "moorage";
	readonly id: string;
	/** Null, as the members of the client, where a request was answered before that was known. */
	readonly tenant_id: string | null;
	readonly user: string | null;
	/** Id of the principal that really made the call, where that was somebody else. */
	readonly made_by: string | null;
	readonly client_id: string | null;
	readonly client_name: string | null;
	readonly client_version: string | null;
	readonly session_id: string | null;
	readonly endpoint: string;
	readonly server: string | null;
	readonly version: string | null;
	readonly instance: string | null;
	/** Of JSON-RPC; of a request without one, that of HTTP. */
	readonly method: string;
	/** Of `tools/call`. */
	readonly tool: string | null;
	/** Prompt name or uri, of other methods. */
	readonly name: string | null;
	readonly status: CallRecord["status"];
	readonly code: string | null;
	readonly error: string | null;
	readonly error_id: string | null;
	/** How many requests the line stands for: 1, but where refusals come too fast. */
	readonly requests: number;
	readonly duration_ms: number;
	readonly queue_ms: number;
	readonly wake_ms: number;
	readonly upstream_ms: number;
	readonly policy_ms: number;
	readonly approval_ms: number;
	readonly audit_ms: number;
	readonly decision: string | null;
	readonly rule: string | null;
	readonly approval_id: string | null;
	readonly risk: string | null;
	readonly input_bytes: number;
	readonly output_bytes: number;
	readonly input_hash: string | null;
	readonly request_id: string;
	readonly trace_id: string;
	readonly span_id: string;
	readonly parent_span_id: string | null;
	readonly client_revision: string | null;
	readonly client_era: "legacy" | "modern" | null;
	readonly upstream_revision: string | null;
	readonly upstream_era: "legacy" | "modern" | null;
}

/** A line, and when its call began. */
export interface TimedLine extends CallLine {
	/** Wall-clock time of its arrival, in milliseconds with fractions. */
	readonly start_ms: number;
}
