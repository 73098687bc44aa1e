/**
 * Everything that can go wrong between a client and a server, as values.
 * A fault has a stable code for programs, a sentence for people that says what to do next,
 * private detail for the log, and an id that stands both in the reply and in the log line.
 */

/** Every stable fault code, one line of meaning each. Codes are never renamed or reused. */
export type FaultCode =
	// The server's side: what went wrong is the hosted server's doing.
	| "server_starting" // it did not become ready within the time a caller may wait
	| "server_failed" // it is in a crash loop or could not be started; retried later by itself
	| "server_exited" // it went away while the call was in flight; the call's fate is unknown
	| "server_unreachable" // a remote server could not be connected to
	| "server_protocol" // it answered with something that is not a valid reply
	| "server_rejected" // a remote server refused with an HTTP status that carries no reply
	| "authorization_required" // a remote server wants to know who calls: a person has to say so
	| "authorization_failed" // a remote server, or its authorization server, did not allow it
	| "reply_too_large" // its reply is larger than the limit
	| "call_timeout" // it did not answer before the call's deadline
	| "command_missing" // the program to run is not installed on this machine
	| "isolation_missing" // this machine cannot confine it as its configuration requires
	| "install_failed" // its package could not be resolved or installed
	| "package_changed" // its package is not what is locked under that version, and was refused
	// The caller's side.
	| "call_cancelled" // the client cancelled the call
	| "server_unknown" // no server or endpoint of that name
	| "not_offered" // the tool, resource or prompt is not in this endpoint's catalog
	| "not_supported" // the revisions on the two sides cannot carry this
	| "policy_denied" // a rule says no
	| "scope_missing" // the caller's token lacks a scope that the call needs
	| "switched_off" // somebody has switched off the tool, server, client, user or tenant
	| "rate_limited" // too many calls in a time, or at one time
	| "loop_detected" // the same call with the same arguments, again and again
	| "arguments_invalid" // the arguments do not fit the tool's schema
	| "approval_pending" // a person has to decide first; the same call later goes on
	| "approval_denied" // a person said no, or nobody decided in time
	// The gateway's side.
	| "queue_full" // too many calls wait for this server
	| "overloaded" // too many requests at once
	| "gateway_stopping" // the gateway is shutting down
	| "evidence_unavailable" // the audit cannot be written, and the call may not go unrecorded
	| "secret_unavailable" // a secret that the server needs cannot be had now
	| "internal"; // a defect in Moorage; the log line with the same id has the detail

/** How loudly a fault is logged; decided where the fault is made. */
export type FaultLevel = "debug" | "info" | "warn" | "error";

/** One thing that went wrong. */
export interface Fault {
	readonly code: FaultCode;
	/** A sentence a person or a model can act on. Never contains secrets or payloads. */
	readonly message: string;
	/** For the log only. */
	readonly detail?: string | undefined;
	readonly level: FaultLevel;
	/** Random id that joins the reply and the log line. */
	readonly id: string;
	/** The server concerned. */
	readonly server?: string | undefined;
	/** True when repeating the same request cannot do harm: the server never saw it. */
	readonly retry_safe: boolean;
	/** Milliseconds after which trying again may help, where something is known of it. */
	readonly retry_after_ms?: number | undefined;
	/** Of a program that ended; shown to operators. */
	readonly exit_code?: number | undefined;
}

/** What a fault is made from; the id is drawn by the maker. */
export type FaultParts = Omit<Fault, "id">;

/** Numbers for JSON-RPC `error.code`: outside -32768..-32000, as the specification asks. */
export const fault_rpc_codes: Readonly<Record<FaultCode, number>> = {
	server_starting: 1001,
	server_failed: 1002,
	server_exited: 1003,
	server_unreachable: 1004,
	server_protocol: 1005,
	server_rejected: 1006,
	reply_too_large: 1007,
	call_timeout: 1008,
	command_missing: 1009,
	install_failed: 1010,
	isolation_missing: 1011,
	package_changed: 1012,
	authorization_required: 1013,
	authorization_failed: 1014,
	call_cancelled: 1101,
	server_unknown: 1102,
	not_offered: 1103,
	not_supported: 1104,
	policy_denied: 1105,
	scope_missing: 1106,
	switched_off: 1107,
	rate_limited: 1108,
	loop_detected: 1109,
	arguments_invalid: 1110,
	approval_pending: 1111,
	approval_denied: 1112,
	queue_full: 1201,
	overloaded: 1202,
	gateway_stopping: 1203,
	evidence_unavailable: 1204,
	secret_unavailable: 1205,
	internal: 1299,
};

/** Key of our own data in `_meta` and in `error.data`. */
export const fault_meta_key = "dev.moorage/error";

/** What a client is told about a fault: in `error.data`, or in `_meta` under `fault_meta_key`. */
export interface PublicFault {
	readonly code: FaultCode;
	readonly server?: string;
	readonly error_id: string;
	readonly retry_safe: boolean;
	readonly retry_after_ms?: number;
}

/** The part of a fault that leaves the house. */
export function publicFault(fault: Fault): PublicFault {
	return {
		code: fault.code,
		...(fault.server === undefined ? {} : { server: fault.server }),
		error_id: fault.id,
		retry_safe: fault.retry_safe,
		...(fault.retry_after_ms === undefined ? {} : { retry_after_ms: fault.retry_after_ms }),
	};
}

/** Draws the id and freezes the fault. */
export function makeFault(random: { bytes(count: number): Buffer }, parts: FaultParts): Fault {
	return Object.freeze({ ...parts, id: random.bytes(6).toString("base64url") });
}
