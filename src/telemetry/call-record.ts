import type { RiskClass } from "../protocol/risk.ts";

/** How a call ended, in one word: what a person filters by. */
export type CallStatus = "ok" | "client_error" | "server_error" | "timeout";

/** What the checks in front of a call said. */
export type CallDecision = "allow" | "deny" | "limit" | "ask";

/**
 * What is known of one client request once it has its reply. Every evidence of it (call log,
 * audit, metrics, traces) is made from this one record. Times are in milliseconds; nothing of a
 * payload stands in a plain member.
 */
export interface CallRecord {
	/** Id of the call here, unique: a UUID of version 7. */
	readonly id: string;
	/** The client's own JSON-RPC id, raw JSON. */
	readonly request_id: string;
	/** 32 hex digits: the client's trace, or one begun here (W3C Trace Context). */
	readonly trace_id: string;
	/** 16 hex digits: the span of this call. */
	readonly span_id: string;
	/** The client's span, where it sent a valid `traceparent`. */
	readonly parent_span_id: string | undefined;
	/** Whether the client's `traceparent` asks for its trace to be kept. */
	readonly sampled: boolean | undefined;
	/** Wall-clock time of its arrival. */
	readonly ts_ms: number;
	readonly method: string;
	/** Tool or prompt name or uri as the server knows it, else as the client sent it. */
	readonly name: string | undefined;
	readonly endpoint: string;
	/** Undefined where no single server was concerned. */
	readonly server: string | undefined;
	/** Which version of the server: its release, else the fingerprint of its configuration. */
	readonly version: string | undefined;
	/** Which instance of it, as far as one was used. */
	readonly instance: string | undefined;
	readonly tenant: string;
	readonly user: string;
	/** Id of the principal. */
	readonly principal: string;
	/** Id of the principal that really made it, where that was somebody else in this one's name. */
	readonly made_by: string | undefined;
	/** The client that was authenticated, never what it calls itself. */
	readonly client_id: string | undefined;
	/** What the client calls itself. */
	readonly client_name: string;
	readonly client_version: string;
	readonly client_revision: string;
	readonly client_era: "legacy" | "modern";
	readonly upstream_revision: string | undefined;
	readonly upstream_era: "legacy" | "modern" | undefined;
	readonly session_id: string | undefined;
	readonly status: CallStatus;
	/** Stable code of what went wrong. */
	readonly code: string | undefined;
	/** Id that stands in the reply and in the log, where a fault was made here. */
	readonly error_id: string | undefined;
	/** The sentence that the caller was told, where a fault was made here. */
	readonly error_message: string | undefined;
	readonly duration_ms: number;
	/** Waiting for a place at an instance that runs. */
	readonly queue_ms: number;
	/** Waiting for an instance to start or wake. */
	readonly wake_ms: number;
	readonly upstream_ms: number;
	readonly policy_ms: number;
	readonly approval_ms: number;
	/** Waiting until its intent was in the audit, before its server was called. */
	readonly audit_ms: number;
	readonly decision: CallDecision | undefined;
	/** The rule or check that decided. */
	readonly rule: string | undefined;
	readonly approval_id: string | undefined;
	readonly risk: RiskClass | undefined;
	readonly input_bytes: number;
	readonly output_bytes: number;
	/** SHA-256 of the raw params without `_meta`, in hex; computed when first asked for. */
	inputHash(): string;
	/** The whole request as it came; for the audit only. */
	request(): Buffer;
	/** The reply as it goes out, but for its id; undefined before it is known. */
	reply(): Buffer | undefined;
}

/**
 * A request that was answered before it became a call: refused at the door or by the edge that it
 * came to, or one of HTTP's own (`GET`, `DELETE`). What is not known of it is undefined. It goes to
 * the call log and the history, and into no other evidence: whoever sends rubbish must not change
 * what is usual.
 */
export interface AnsweredRequest
	extends Pick<
		CallRecord,
		| "id"
		| "request_id"
		| "trace_id"
		| "span_id"
		| "parent_span_id"
		| "ts_ms"
		| "endpoint"
		| "client_id"
		| "session_id"
		| "status"
		| "code"
		| "error_id"
		| "error_message"
		| "duration_ms"
		| "input_bytes"
		| "output_bytes"
	> {
	/** The method of JSON-RPC where the request has one, else that of HTTP. */
	readonly method: string;
	/** Whether there is such an address; else it is what somebody made up. */
	readonly is_offered: boolean;
	readonly tenant: string | undefined;
	readonly user: string | undefined;
	readonly client_name: string | undefined;
	readonly client_version: string | undefined;
	readonly client_revision: string | undefined;
	readonly client_era: CallRecord["client_era"] | undefined;
	/** How many requests it stands for. */
	readonly requests: number;
}

/** Whoever keeps evidence of calls. */
export interface Evidence {
	/** A call has to wait for its server: what it needs after that can be made ready meanwhile. */
	expect?(): void;
	/**
	 * Before the server hears of a call that is not of class `read`; the call waits for a returned
	 * promise, and is refused when it rejects.
	 */
	before?(record: CallRecord): Promise<void> | undefined;
	/** Whether `before` is to be asked about calls of class `read` too. */
	before_reads?(): boolean;
	/** When the reply is known; it waits for a returned promise, which must not reject. */
	after?(record: CallRecord): Promise<void> | undefined;
	/** A request was answered before it became a call. */
	answered?(request: AnsweredRequest): void;
}
