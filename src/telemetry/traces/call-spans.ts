import type { CallRecord } from "../call-record.ts";
import { errorType } from "../metrics/call-metrics.ts";
import {
	type AttributeValue,
	type Span,
	type Stage,
	span_kinds,
	stageSpanId,
	stages,
} from "./span.ts";

/**
 * The spans of one call: its own, and one for each part that took time. Names and texts come from
 * callers and servers: `redact` takes secrets out of them.
 */
export function spansOf(record: CallRecord, redact: (text: string) => string): Span[] {
	return allSpans(record).map((span) => {
		const attributes: Record<string, AttributeValue | undefined> = { ...span.attributes };
		for (const key of told_attributes) {
			const value = attributes[key];
			if (typeof value === "string") attributes[key] = redact(value);
		}
		return { ...span, name: redact(span.name), attributes };
	});
}

/** What callers, servers and people called things; all else is an id or a word of our own. */
const told_attributes: readonly string[] = [
	"gen_ai.tool.name",
	"gen_ai.prompt.name",
	"mcp.resource.uri",
	"mcp.method.name",
	"mcp.protocol.version",
	"jsonrpc.request.id",
	"error.type",
	"moorage.user",
	"moorage.client",
	"moorage.instance",
];

function allSpans(record: CallRecord): Span[] {
	const end_ms = record.ts_ms + record.duration_ms;
	const own: Span = {
		trace_id: record.trace_id,
		span_id: record.span_id,
		parent_span_id: record.parent_span_id,
		name: nameOf(record),
		kind: span_kinds.server,
		start_ms: record.ts_ms,
		end_ms,
		attributes: attributesOf(record),
		error: errorOf(record),
	};
	return [own, ...stageSpans(record, end_ms)];
}

/**
 * The parts follow each other, and their lengths are known: policy and approval from the start on,
 * the server's part up to the end, the queue and the wake just before it.
 */
function stageSpans(record: CallRecord, end_ms: number): Span[] {
	const { ts_ms, policy_ms, approval_ms, queue_ms, wake_ms, upstream_ms } = record;
	const lengths: Record<Stage, number> = {
		policy: policy_ms,
		approval: approval_ms,
		queue: queue_ms,
		wake: wake_ms,
		upstream: upstream_ms,
	};
	let at_ms = ts_ms;
	return stages.flatMap((stage) => {
		const length_ms = lengths[stage];
		if (!(length_ms > 0)) return [];
		const start_ms = stage === "upstream" ? Math.max(at_ms, end_ms - length_ms) : at_ms;
		at_ms = Math.min(end_ms, start_ms + length_ms);
		return [stageSpan(record, stage, start_ms, at_ms)];
	});
}

function stageSpan(record: CallRecord, stage: Stage, start_ms: number, end_ms: number): Span {
	const { trace_id, span_id } = record;
	const base = { trace_id, span_id: stageSpanId(span_id, stage), parent_span_id: span_id };
	if (stage !== "upstream") {
		return {
			...base,
			name: `moorage ${stage}`,
			kind: span_kinds.internal,
			start_ms,
			end_ms,
			attributes: {
				"moorage.server": record.server,
				...(stage === "policy"
					? { "moorage.decision": record.decision, "moorage.rule": record.rule }
					: {}),
				...(stage === "approval" ? { "moorage.approval_id": record.approval_id } : {}),
			},
			error: stage === "policy" && record.decision === "deny" ? record.code : undefined,
		};
	}
	return {
		...base,
		name: nameOf(record),
		kind: span_kinds.client,
		start_ms,
		end_ms,
		attributes: {
			...toolAttributes(record),
			"mcp.protocol.version": record.upstream_revision,
			"moorage.server": record.server,
			"moorage.server.version": record.version,
			"moorage.instance": record.instance,
		},
		error: errorOf(record),
	};
}

/** `{mcp.method.name} {tool or prompt name}` (semantic conventions for MCP). */
function nameOf({ method, name, code }: CallRecord): string {
	const named = method === "tools/call" || method === "prompts/get";
	// What is not offered is any text a caller liked to write.
	return named && name !== undefined && code !== "not_offered" ? `${method} ${name}` : method;
}

function toolAttributes({ method, name, code }: CallRecord): Span["attributes"] {
	const base = { "mcp.method.name": method };
	if (name === undefined || code === "not_offered") return base;
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

function attributesOf(record: CallRecord): Span["attributes"] {
	return {
		...toolAttributes(record),
		"error.type": errorOf(record),
		"rpc.response.status_code": rpcStatus(record.code),
		"jsonrpc.request.id": record.request_id.slice(0, text_chars_max),
		"mcp.protocol.version": record.client_revision,
		"mcp.session.id": record.session_id,
		"network.transport": "tcp",
		"network.protocol.name": "http",
		"moorage.call_id": record.id,
		"moorage.endpoint": record.endpoint,
		"moorage.server": record.server,
		"moorage.tenant": record.tenant,
		"moorage.user": record.user,
		"moorage.client": record.client_id,
		"moorage.status": record.status,
		"moorage.error_id": record.error_id,
		"moorage.decision": record.decision,
		"moorage.rule": record.rule,
		"moorage.risk": record.risk,
		"moorage.tool.args_hash": record.method === "tools/call" ? record.inputHash() : undefined,
		"moorage.input_bytes": record.input_bytes,
		"moorage.output_bytes": record.output_bytes,
	};
}

function errorOf({ status, code }: CallRecord): string | undefined {
	return status === "ok" ? undefined : errorType(code ?? status);
}

/** The number of a JSON-RPC error, where it was one. */
function rpcStatus(code: string | undefined): string | undefined {
	const type = code === undefined ? undefined : errorType(code);
	return type === code ? undefined : type;
}

/** Ids may be as long as the client likes. */
const text_chars_max = 256;
