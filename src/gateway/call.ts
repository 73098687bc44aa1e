import type { ServerPlan } from "../config/plan.ts";
import type { Lease } from "../hosting/hosting.ts";
import type { Principal } from "../identity/principal.ts";
import type { Clock } from "../lib/clock.ts";
import type { CheckedCall } from "../policy/check.ts";
import type { Fault, FaultCode } from "../protocol/fault.ts";
import type { Era } from "../protocol/revisions.ts";
import type { CallDecision, CallRecord } from "../telemetry/call-record.ts";
import type { UpstreamAsk } from "../upstreams/driver.ts";
import type { Edit, Message } from "../wire/message.ts";
import type { Endpoint } from "./endpoint.ts";

/** What is known of the client on this request, whichever era it speaks. */
export interface ClientSide {
	readonly era: Era;
	readonly revision: string;
	/** What the client says it can do: a raw JSON object. */
	readonly capabilities: string;
	/** What the client calls itself: a raw JSON object. */
	readonly info: string;
	/** Id of its legacy session, where it has one. */
	readonly session_id: string | undefined;
	/** Who it is: the id of a principal. */
	readonly principal: string;
	/** What was authenticated in the principal's name; only known of modern clients. */
	readonly client_id?: string | undefined;
	/** Log level it asked for; undefined when it wants no log messages. */
	readonly log_level: string | undefined;
}

/** The two verbs back to the client while its call runs. */
export interface CallSink {
	/** Progress and log messages, on this call's own stream. */
	notify(message: Message): void;
	/** Elicitation, sampling and roots: a request only this call's client may answer. */
	ask(ask: UpstreamAsk): void;
	/** See `UpstreamRequest.backlog`; absent where nobody reads. */
	backlog?(): Promise<void> | undefined;
}

/** Sees what a call says to its server and hears from it, as it is on that side. */
export interface CallWatch {
	sent(message: Message, edits: readonly Edit[]): void;
	received(message: Message): void;
}

/** Which server a call goes to and what it is called there. */
export interface CallTarget {
	readonly server: ServerPlan;
	/** Tool name, prompt name, uri or task id as the server knows it. */
	readonly name: string | undefined;
	/** What the client calls it, where that differs. */
	readonly exposed_name?: string;
	/** Id of the approval whose task is asked about, where no server made that. */
	readonly approval_id?: string;
}

/** What is noted of a call on its way, for its record. Times are in milliseconds. */
export interface CallNotes {
	/** Wall-clock time of its arrival. */
	readonly ts_ms: number;
	/** Monotonic time of its arrival. */
	readonly began_ms: number;
	queue_ms: number;
	wake_ms: number;
	upstream_ms: number;
	policy_ms: number;
	approval_ms: number;
	audit_ms: number;
	decision: CallDecision | undefined;
	rule: string | undefined;
	approval_id: string | undefined;
	/** What the checks looked at, once they have run. */
	checked: CheckedCall | undefined;
	/** Its place among the calls that an off switch can stop; -1 while it has none. */
	running_at: number;
	/** Positions of the checks that have to hear of its end. */
	counted_by: number[] | undefined;
	/** The instance that worked on it. */
	instance: string | undefined;
	upstream_revision: string | undefined;
	/** Why it was cancelled by somebody else than its client: this is its reply. */
	stopped: Fault | undefined;
	/** Id of the approval that it runs with, which has to hear what became of it. */
	claimed: string | undefined;
	/** The call as people changed it before they agreed to it, where they did. */
	agreed: Message | undefined;
	/** Of what was asked, once somebody has asked for it. */
	input_hash: string | undefined;
	/** The trace that it belongs to, once somebody has asked for it. */
	trace: CallTrace | undefined;
}

/** The trace that a call belongs to. */
export type CallTrace = Pick<CallRecord, "trace_id" | "span_id" | "parent_span_id" | "sampled">;

/** One client request on its way through the pipeline. Steps fill in the optional part. */
export interface Call {
	/** Stands in the log and in errors. */
	readonly id: string;
	/** Who is calling. */
	readonly principal: Principal;
	/** Who really makes it, where that is somebody else, in the principal's name. */
	readonly made_by: Principal | undefined;
	readonly notes: CallNotes;
	readonly endpoint: Endpoint;
	readonly client: ClientSide;
	readonly message: Message;
	readonly method: string;
	/** Aborts when the client cancels. */
	readonly signal: AbortSignal;
	/** What `signal` belongs to, where the gateway may cancel the call itself. */
	readonly cancel?: AbortController | undefined;
	readonly sink: CallSink;
	/** Only where somebody looks on, as in the playground. */
	readonly watch?: CallWatch | undefined;
	/** The client's `traceparent` header; one in the message's `_meta` counts before it. */
	readonly trace_header: string | undefined;
	/** What the server is told of the trace, once that is decided. */
	traceparent: string | undefined;
	/** `Mcp-Param-*` headers as the client sent them; undefined where the arguments are others. */
	param_headers: Readonly<Record<string, string>> | undefined;
	/** Changes to the message before it goes to the server. */
	readonly edits: Edit[];
	target: CallTarget | undefined;
	lease: Lease | undefined;
}

/** How a call ends. */
export type Reply =
	/** The server's own reply, with changes to apply beside its id. */
	| { readonly kind: "message"; readonly message: Message; readonly edits: Edit[] }
	/** A result made here: raw JSON of an object. */
	| { readonly kind: "result"; readonly json: string }
	/** The same, of pieces that are long and made once for many. */
	| { readonly kind: "pieces"; readonly json: readonly Buffer[] }
	/** The protocol's own error, made here. */
	| RpcErrorReply
	/** Something went wrong; rendered as the method and the era ask for it. */
	| { readonly kind: "fault"; readonly fault: Fault; readonly http?: HttpOutcome };

/** What an answer says in the terms of HTTP, where it still can. */
export interface HttpOutcome {
	readonly status?: number;
	readonly headers?: Readonly<Record<string, string>>;
}

/** A JSON-RPC error made here. */
export interface RpcErrorReply {
	readonly kind: "error";
	readonly code: number;
	readonly message: string;
	/** Raw JSON. */
	readonly data?: string;
	/** What it means here, where the protocol's number says less. */
	readonly reason?: FaultCode;
}

/** What a call is made from. */
export type CallParts = Pick<
	Call,
	"id" | "principal" | "endpoint" | "client" | "message" | "method" | "signal" | "sink"
> &
	Partial<Pick<Call, "made_by" | "cancel" | "param_headers" | "trace_header" | "watch">>;

/** A call at the beginning of its way. */
export function makeCall(parts: CallParts, clock: Clock): Call {
	return {
		id: parts.id,
		principal: parts.principal,
		made_by: parts.made_by,
		endpoint: parts.endpoint,
		client: parts.client,
		message: parts.message,
		method: parts.method,
		signal: parts.signal,
		cancel: parts.cancel,
		sink: parts.sink,
		watch: parts.watch,
		param_headers: parts.param_headers,
		trace_header: parts.trace_header,
		traceparent: undefined,
		edits: [],
		target: undefined,
		lease: undefined,
		notes: {
			ts_ms: clock.now(),
			began_ms: clock.monotonic(),
			queue_ms: 0,
			wake_ms: 0,
			upstream_ms: 0,
			policy_ms: 0,
			approval_ms: 0,
			audit_ms: 0,
			decision: undefined,
			rule: undefined,
			approval_id: undefined,
			checked: undefined,
			running_at: -1,
			counted_by: undefined,
			instance: undefined,
			upstream_revision: undefined,
			stopped: undefined,
			claimed: undefined,
			agreed: undefined,
			input_hash: undefined,
			trace: undefined,
		},
	};
}

/** Makes a JSON-RPC error reply; `data` is any JSON-serialisable value. */
export function rpcError(code: number, message: string, data?: unknown): RpcErrorReply {
	return {
		kind: "error",
		code,
		message,
		...(data === undefined ? {} : { data: JSON.stringify(data) }),
	};
}
