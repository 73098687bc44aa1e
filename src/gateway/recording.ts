import { createHash, hash } from "node:crypto";
import { rpc_codes } from "../protocol/codes.ts";
import type { FaultCode } from "../protocol/fault.ts";
import { meta_keys } from "../protocol/meta.ts";
import type { CallRecord, CallStatus } from "../telemetry/call-record.ts";
import { idsOfUuid } from "../telemetry/traces/hex.ts";
import { parseTraceparent } from "../telemetry/traces/trace-context.ts";
import { bodyLength, wholeBody } from "../wire/body.ts";
import { quotedName } from "../wire/decode.ts";
import type { Message } from "../wire/message.ts";
import { memberSpan, rawText, readJson, readName, readString } from "../wire/object.ts";
import type { Call, CallTrace, Reply } from "./call.ts";
import { namedClient } from "./checked-call.ts";
import type { GatewayContext } from "./context.ts";
import { toolDefinition } from "./local/tool-definition.ts";
import { renderReply } from "./render.ts";

/** Faults that are the caller's doing, or the operator's will: nothing is wrong with a server. */
const client_faults: ReadonlySet<FaultCode> = new Set<FaultCode>([
	"call_cancelled",
	"server_unknown",
	"not_offered",
	"not_supported",
	"policy_denied",
	"scope_missing",
	"switched_off",
	"rate_limited",
	"loop_detected",
	"arguments_invalid",
	"approval_pending",
	"approval_denied",
	"authorization_required",
]);

/** JSON-RPC errors by which a side says that the request was wrong. */
const client_codes: ReadonlySet<unknown> = new Set([
	rpc_codes.invalid_params,
	rpc_codes.invalid_request,
	rpc_codes.method_not_found,
	rpc_codes.parse_error,
	rpc_codes.resource_not_found,
	rpc_codes.header_mismatch,
	rpc_codes.missing_client_capability,
	rpc_codes.url_elicitation_required,
]);

/** How a reply is counted. */
interface Outcome {
	readonly status: CallStatus;
	readonly code: string | undefined;
	readonly error_id: string | undefined;
	readonly error_message: string | undefined;
}

/** The record of a call as far as it has come; `reply` is undefined before the server is called. */
export function recordOf(
	call: Call,
	reply: Reply | undefined,
	context: GatewayContext,
): CallRecord {
	const { client, notes, principal, target } = call;
	// What ran counts, where people agreed to something else than was asked.
	const message = notes.agreed ?? call.message;
	const { bytes } = message;
	const named = namedClient(client.info);
	const trace = traceOfCall(call);
	const outcome = reply === undefined ? nothing_yet : outcomeOf(reply, call, context);
	return {
		id: call.id,
		request_id: message.id === undefined ? "null" : rawText(bytes, message.id),
		trace_id: trace.trace_id,
		span_id: trace.span_id,
		parent_span_id: trace.parent_span_id,
		sampled: trace.sampled,
		ts_ms: notes.ts_ms,
		method: call.method,
		name: target?.name ?? nameIn(call),
		endpoint: call.endpoint.name,
		server: target?.server.name ?? soleServer(call),
		version: target === undefined ? undefined : context.versionOf(target.server),
		instance: notes.instance,
		tenant: principal.tenant,
		user: principal.user,
		principal: principal.id,
		made_by: call.made_by?.id,
		client_id: principal.client,
		client_name: named.name,
		client_version: named.version,
		client_revision: client.revision,
		client_era: client.era,
		upstream_revision: notes.upstream_revision,
		upstream_era: eraOf(notes.upstream_revision),
		session_id: client.session_id,
		status: outcome.status,
		code: outcome.code,
		error_id: outcome.error_id,
		error_message: outcome.error_message,
		duration_ms: context.clock.monotonic() - notes.began_ms,
		queue_ms: notes.queue_ms,
		wake_ms: notes.wake_ms,
		upstream_ms: notes.upstream_ms,
		policy_ms: notes.policy_ms,
		approval_ms: notes.approval_ms,
		audit_ms: notes.audit_ms,
		decision: notes.decision,
		rule: notes.rule,
		approval_id: notes.approval_id,
		risk: notes.checked?.tool?.risk,
		input_bytes: bytes.length,
		output_bytes: reply === undefined ? 0 : sizeOf(reply),
		inputHash() {
			notes.input_hash ??= hashOf(message);
			return notes.input_hash;
		},
		request: () => bytes,
		reply: () => (reply === undefined ? undefined : bodyOf(call, reply)),
	};
}

const nothing_yet: Outcome = {
	status: "ok",
	code: undefined,
	error_id: undefined,
	error_message: undefined,
};

function outcomeOf(reply: Reply, call: Call, context: GatewayContext): Outcome {
	const outcome = plainOutcome(reply);
	// A server answers a tool it does not have with the code of arguments that are wrong.
	if (outcome.status === "ok" || !isUnlisted(call, context)) return outcome;
	return { ...outcome, status: "client_error", code: "not_offered" };
}

/** Whether a call names a tool that its server is known not to have. */
function isUnlisted({ method, target }: Call, context: GatewayContext): boolean {
	if (method !== "tools/call" || target?.name === undefined) return false;
	const known = context.catalogs.get(target.server.name) !== undefined;
	return known && toolDefinition(target.server.name, target.name, context) === undefined;
}

/** How a reply is counted, whatever was called. */
export function plainOutcome(reply: Reply): Outcome {
	if (reply.kind === "fault") {
		const { code, id, message } = reply.fault;
		const status = code === "call_timeout" ? "timeout" : sideOf(client_faults.has(code));
		return { status, code, error_id: id, error_message: message };
	}
	if (reply.kind === "error") {
		const status = sideOf(client_codes.has(reply.code));
		const code = reply.reason ?? `rpc_${reply.code}`;
		return { status, code, error_id: undefined, error_message: reply.message };
	}
	if (reply.kind === "result" || reply.kind === "pieces") return nothing_yet;
	const { bytes, error, result } = reply.message;
	if (error !== undefined) {
		const code = readJson(bytes, memberSpan(error, "code"));
		const status = sideOf(client_codes.has(code));
		return { ...nothing_yet, status, code: `rpc_${String(code)}` };
	}
	const failed = readJson(bytes, memberSpan(result, "isError")) === true;
	return failed ? { ...nothing_yet, status: "server_error", code: "tool_error" } : nothing_yet;
}

function sideOf(client: boolean): CallStatus {
	return client ? "client_error" : "server_error";
}

function eraOf(revision: string | undefined): "legacy" | "modern" | undefined {
	if (revision === undefined) return undefined;
	return revision >= "2026-07-28" ? "modern" : "legacy";
}

function soleServer({ endpoint }: Call): string | undefined {
	return endpoint.kind === "single" ? endpoint.servers[0]?.name : undefined;
}

function nameIn({ message }: Call): string | undefined {
	const { bytes, params } = message;
	const span = memberSpan(params, "name") ?? memberSpan(params, "uri");
	return readName(bytes, span)?.slice(0, 512);
}

/** The trace of a call; it is asked for several times, and never changes. */
export function traceOfCall(call: Call): CallTrace {
	call.notes.trace ??= traceOf(call);
	return call.notes.trace;
}

/** The client's trace goes on; without one a new one begins, named like the call. */
export function traceOf(
	call: Pick<Call, "id" | "trace_header"> & { readonly message: Message | undefined },
): CallTrace {
	const { message } = call;
	const own = idsOfUuid(call.id);
	const sent =
		message && readString(message.bytes, memberSpan(message.meta, meta_keys.traceparent));
	const text = sent ?? call.trace_header;
	const found = text === undefined ? undefined : parseTraceparent(text);
	return {
		trace_id: found?.trace_id ?? own.trace_id,
		span_id: own.span_id,
		parent_span_id: found?.span_id,
		sampled: found?.sampled,
	};
}

/** Over the params without `_meta`: the same call again has the same hash. */
function hashOf(message: Message): string {
	const { bytes, params } = message;
	if (bytes.length <= hashed.length / 4) return hashOfShort(message);
	const digest = createHash("sha256");
	for (const { key, value } of params?.members ?? []) {
		if (key === "_meta") continue;
		digest.update(`${JSON.stringify(key)}:`);
		digest.update(bytes.subarray(value.start, value.end));
		digest.update(",");
	}
	return digest.digest("hex");
}

/** The same at once: a hash that is made piece by piece costs more than all the rest of it. */
function hashOfShort({ bytes, params }: Message): string {
	let length = 0;
	for (const { key, value } of params?.members ?? []) {
		if (key === "_meta") continue;
		length += hashed.write(`${quotedName(key)}:`, length);
		length += bytes.copy(hashed, length, value.start, value.end);
		hashed[length] = comma;
		length += 1;
	}
	return hash("sha256", hashed.subarray(0, length), "hex");
}

/** What is hashed stands here. A key, quoted anew, may be up to three times as long as it was. */
const hashed = Buffer.alloc(64 * 1024);
const comma = 0x2c;

function sizeOf(reply: Reply): number {
	switch (reply.kind) {
		case "message":
			return reply.message.bytes.length;
		case "result":
			return Buffer.byteLength(reply.json);
		case "pieces":
			return bodyLength(reply.json);
		case "error":
			return Buffer.byteLength(reply.message);
		case "fault":
			return Buffer.byteLength(reply.fault.message);
	}
}

/** The reply without the edits that only concern its way: what the server, or we, said. */
function bodyOf(call: Call, reply: Reply): Buffer {
	if (reply.kind === "message") return reply.message.bytes;
	const to = { id: "null", method: call.method, era: call.client.era };
	return wholeBody(renderReply(reply, to).bytes);
}
