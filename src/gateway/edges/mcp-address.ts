import { rpc_codes } from "../../protocol/codes.ts";
import { header_names } from "../../protocol/headers.ts";
import { eraOf } from "../../protocol/revisions.ts";
import { wholeBody } from "../../wire/body.ts";
import { composeError } from "../../wire/compose.ts";
import { indexMessage, isBatch } from "../../wire/index-message.ts";
import type { Span } from "../../wire/message.ts";
import { rawText } from "../../wire/object.ts";
import { answerError } from "../answer-error.ts";
import type { GatewayContext } from "../context.ts";
import { readBody } from "../read-body.ts";
import { renderReply } from "../render.ts";
import { come_back, shutting_down } from "../shutting-down.ts";
import { classify, readHeader } from "./classify.ts";
import { acceptsJson, acceptsStreams, type Exchange } from "./exchange.ts";
import type { LegacyEdge } from "./legacy.ts";
import type { ModernEdge } from "./modern.ts";

/** The edges behind every MCP address. */
export interface Edges {
	readonly legacy: LegacyEdge;
	readonly modern: ModernEdge;
	/** Aborts when the gateway stops: no request is taken from then on, answers are. */
	readonly stopping: AbortSignal;
}

/** Serves one HTTP request at an MCP address: finds the era and hands over to its edge. */
export async function serveMcpAddress(
	exchange: Exchange,
	edges: Edges,
	context: GatewayContext,
): Promise<void> {
	switch (exchange.request.method) {
		case "POST":
			return servePost(exchange, edges, context);
		case "GET":
		case "DELETE":
			return serveLegacyOnly(exchange, edges.legacy);
		default:
			refuse(exchange, 405, rpc_codes.invalid_request, "Use POST, GET or DELETE here");
	}
}

/** GET and DELETE exist for legacy sessions only; a modern client is told so. */
async function serveLegacyOnly(exchange: Exchange, legacy: LegacyEdge): Promise<void> {
	const version = readHeader(exchange.request.headers, header_names.protocol_version);
	if (version !== undefined && eraOf(version) === "modern") {
		const text = `Revision ${version} has no ${exchange.request.method} here; use POST`;
		refuse(exchange, 405, rpc_codes.invalid_request, text);
	} else if (exchange.request.method === "GET") {
		await legacy.get(exchange);
	} else {
		await legacy.delete(exchange);
	}
}

async function servePost(exchange: Exchange, edges: Edges, context: GatewayContext): Promise<void> {
	const { request } = exchange;
	const problem = mediaProblem(exchange);
	if (problem !== undefined) {
		refuse(exchange, problem.status, rpc_codes.invalid_request, problem.text);
		return;
	}
	const bytes_max = context.limits.body_bytes_max;
	const body = await readBody(request, bytes_max);
	if (!body.ok) {
		if (body.problem === "aborted") return;
		const text = `The request is larger than ${bytes_max} bytes (limits.body_bytes_max)`;
		exchange.response.setHeader("connection", "close");
		refuse(exchange, 413, rpc_codes.invalid_request, text);
		return;
	}
	if (isBatch(body.value)) {
		if (edges.stopping.aborted) return refuseStopping(exchange);
		return edges.legacy.batch(exchange, body.value);
	}
	const indexed = indexMessage(body.value);
	if (!indexed.ok) {
		const { code, message, id } = indexed.problem;
		// What stands in bytes that are no JSON is no id (JSON-RPC 2.0, section 5).
		refuse(exchange, 400, code, message, code === rpc_codes.parse_error ? "null" : id);
		return;
	}
	if (edges.stopping.aborted && indexed.value.kind === "request") {
		return refuseStopping(exchange, rawText(body.value, indexed.value.id as Span));
	}
	const era = classify(indexed.value, request.headers);
	if (era.kind === "rejected") {
		const id = indexed.value.id;
		const raw = id === undefined ? "null" : body.value.toString("utf8", id.start, id.end);
		const to = { id: raw, method: indexed.value.method ?? "", era: "modern" } as const;
		finish(exchange, wholeBody(renderReply(era.reply, to).bytes), 400);
		return;
	}
	return edges[era.kind].post(exchange, indexed.value);
}

function refuseStopping({ response, headers }: Exchange, id?: string): void {
	answerError(response, 503, { ...shutting_down, id }, { ...headers, ...come_back });
}

function mediaProblem(exchange: Exchange): { status: number; text: string } | undefined {
	const type = exchange.request.headers["content-type"] ?? "";
	if (!/^application\/json\s*(;|$)/i.test(type)) {
		return { status: 415, text: "Content-Type must be application/json" };
	}
	if (!acceptsJson(exchange.request) && !acceptsStreams(exchange.request)) {
		const text = "Accept must include application/json and text/event-stream";
		return { status: 406, text };
	}
	return undefined;
}

function refuse(
	exchange: Exchange,
	status: number,
	code: number,
	text: string,
	id: string | undefined = "null",
): void {
	finish(exchange, composeError(id, code, text), status);
}

function finish(exchange: Exchange, bytes: Buffer, status: number): void {
	if (exchange.response.headersSent) return;
	exchange.response.writeHead(status, {
		...exchange.headers,
		"content-type": "application/json",
		"content-length": bytes.length,
		...(status === 405 ? { allow: "POST, GET, DELETE" } : {}),
	});
	exchange.response.end(bytes);
}
