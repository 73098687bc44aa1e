import type { CallLine, TimedLine } from "../call-line.ts";
import { errorType } from "../metrics/call-metrics.ts";
import { type Attributes, type Span, type Stage, span_kinds, stageSpanId, stages } from "./span.ts";

/**
 * The spans of calls, one call after the other: of each its own, and one for each part that took
 * time. Most of what is said of a call is said of the next one too, and made once for both.
 */
export function* spansOf(calls: Iterable<TimedLine>): Generator<Span> {
	const alike = new Map<string, Alike>();
	for (const call of calls) {
		const key = `${call.session_id ?? call.user}\0${nameIn(call) ?? call.method}`;
		let found = alike.get(key);
		if (found === undefined || !isAlike(found.call, call)) {
			found = alikeOf(call);
			alike.set(key, found);
		}
		yield* spansOfOne(call, found);
	}
}

/** What calls have in common that are alike. */
interface Alike {
	readonly call: TimedLine;
	readonly name: string;
	readonly error: string | undefined;
	readonly own: Attributes;
	readonly parts: Readonly<Record<Stage, Attributes>>;
}

/** Tool or prompt name, or uri. */
function nameIn({ tool, name }: CallLine): string | null {
	return tool ?? name;
}

/** Whether everything is the same of two calls that `alikeOf` looks at. */
function isAlike(left: CallLine, right: CallLine): boolean {
	return (
		left.session_id === right.session_id &&
		left.tool === right.tool &&
		left.name === right.name &&
		left.method === right.method &&
		left.status === right.status &&
		left.code === right.code &&
		left.client_revision === right.client_revision &&
		left.endpoint === right.endpoint &&
		left.server === right.server &&
		left.version === right.version &&
		left.instance === right.instance &&
		left.tenant_id === right.tenant_id &&
		left.user === right.user &&
		left.made_by === right.made_by &&
		left.client_id === right.client_id &&
		left.decision === right.decision &&
		left.rule === right.rule &&
		left.risk === right.risk &&
		left.upstream_revision === right.upstream_revision
	);
}

function alikeOf(call: TimedLine): Alike {
	const server = call.server ?? undefined;
	return {
		call,
		name: spanName(call),
		error: errorOf(call),
		own: attributesOf(call),
		parts: {
			policy: {
				"moorage.server": server,
				"moorage.decision": call.decision ?? undefined,
				"moorage.rule": call.rule ?? undefined,
			},
			approval: { "moorage.server": server },
			queue: { "moorage.server": server },
			wake: { "moorage.server": server },
			audit: { "moorage.server": server },
			upstream: {
				...toolAttributes(call),
				"mcp.protocol.version": call.upstream_revision ?? undefined,
				"moorage.server": server,
				"moorage.server.version": call.version ?? undefined,
				"moorage.instance": call.instance ?? undefined,
			},
		},
	};
}

function spansOfOne(call: TimedLine, alike: Alike): Span[] {
	const end_ms = call.start_ms + call.duration_ms;
	const own: Span = {
		trace_id: call.trace_id,
		span_id: call.span_id,
		parent_span_id: call.parent_span_id ?? undefined,
		name: alike.name,
		kind: span_kinds.server,
		start_ms: call.start_ms,
		end_ms,
		attributes: {
			"jsonrpc.request.id": call.request_id.slice(0, text_chars_max),
			"moorage.call_id": call.id,
			"moorage.error_id": call.error_id ?? undefined,
			"moorage.tool.args_hash": call.tool === null ? undefined : (call.input_hash ?? undefined),
			"moorage.input_bytes": call.input_bytes,
			"moorage.output_bytes": call.output_bytes,
		},
		shared: alike.own,
		error: alike.error,
	};
	return [own, ...stageSpans(call, alike, end_ms)];
}

/**
 * The parts follow each other, and their lengths are known: policy and approval from the start on,
 * the server's part up to the end, the queue and the wake just before it.
 */
function stageSpans(call: TimedLine, alike: Alike, end_ms: number): Span[] {
	const { policy_ms, approval_ms, queue_ms, wake_ms, audit_ms, upstream_ms } = call;
	const lengths: Record<Stage, number> = {
		policy: policy_ms,
		approval: approval_ms,
		queue: queue_ms,
		wake: wake_ms,
		audit: audit_ms,
		upstream: upstream_ms,
	};
	let at_ms = call.start_ms;
	return stages.flatMap((stage) => {
		const length_ms = lengths[stage];
		if (!(length_ms > 0)) return [];
		const start_ms = stage === "upstream" ? Math.max(at_ms, end_ms - length_ms) : at_ms;
		at_ms = Math.min(end_ms, start_ms + length_ms);
		return [stageSpan(call, alike, { stage, start_ms, end_ms: at_ms })];
	});
}

function stageSpan(
	call: TimedLine,
	alike: Alike,
	{ stage, start_ms, end_ms }: { readonly stage: Stage; start_ms: number; end_ms: number },
): Span {
	const { trace_id, span_id } = call;
	const is_upstream = stage === "upstream";
	const is_denial = stage === "policy" && call.decision === "deny";
	const approval_id = call.approval_id ?? undefined;
	return {
		trace_id,
		span_id: stageSpanId(span_id, stage),
		parent_span_id: span_id,
		name: is_upstream ? alike.name : `moorage ${stage}`,
		kind: is_upstream ? span_kinds.client : span_kinds.internal,
		start_ms,
		end_ms,
		attributes: stage === "approval" ? { "moorage.approval_id": approval_id } : none,
		shared: alike.parts[stage],
		error: is_upstream ? alike.error : is_denial ? (call.code ?? undefined) : undefined,
	};
}

const none: Attributes = {};

/** `{mcp.method.name} {tool or prompt name}` (semantic conventions for MCP). */
function spanName(call: CallLine): string {
	const { method, code } = call;
	const name = nameIn(call);
	const named = method === "tools/call" || method === "prompts/get";
	// What is not offered is any text a caller liked to write.
	const text = named && name !== null && code !== "not_offered" ? `${method} ${name}` : method;
	// So is a method that nobody knows.
	return text.slice(0, text_chars_max);
}

function toolAttributes(call: CallLine): Attributes {
	const { method, code } = call;
	const name = nameIn(call);
	const base = { "mcp.method.name": method.slice(0, text_chars_max) };
	if (name === null || code === "not_offered") return base;
	switch (method) {
		case "tools/call":
			return { ...base, "gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": name };
		case "prompts/get":
			return { ...base, "gen_ai.prompt.name": name };
		case "resources/read":
			return { ...base, "mcp.resource.uri": name };
		default:
			return base;
	}
}

function attributesOf(call: CallLine): Attributes {
	return {
		...toolAttributes(call),
		"error.type": errorOf(call),
		"rpc.response.status_code": rpcStatus(call.code),
		"mcp.protocol.version": call.client_revision ?? undefined,
		"mcp.session.id": call.session_id ?? undefined,
		"network.transport": "tcp",
		"network.protocol.name": "http",
		"moorage.endpoint": call.endpoint,
		"moorage.server": call.server ?? undefined,
		"moorage.tenant": call.tenant_id ?? undefined,
		"moorage.user": call.user ?? undefined,
		"moorage.made_by": call.made_by ?? undefined,
		"moorage.client": call.client_id ?? undefined,
		"moorage.status": call.status,
		"moorage.decision": call.decision ?? undefined,
		"moorage.rule": call.rule ?? undefined,
		"moorage.risk": call.risk ?? undefined,
	};
}

function errorOf({ status, code }: CallLine): string | undefined {
	return status === "ok" ? undefined : errorType(code ?? status);
}

/** The number of a JSON-RPC error, where it was one. */
function rpcStatus(code: string | null): string | undefined {
	const type = code === null ? null : errorType(code);
	return type === null || type === code ? undefined : type;
}

/** Ids may be as long as the client likes. */
const text_chars_max = 256;
