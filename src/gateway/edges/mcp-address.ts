import { rpc_codes } from "../../protocol/codes.ts";
import { header_names } from "../../protocol/headers.ts";
import { eraOf } from "../../protocol/revisions.ts";
import { wholeBody } from "../../wire/body.ts";
import { composeError } from "../../wire/compose.ts";
import { indexMessage, isBatch } from "../../wire/index-message.ts";
import type { Message } from "../../wire/message.ts";
import { rawText } from "../../wire/object.ts";
import { answerError } from "../answer-error.ts";
import { noteAnswered, refusedOutcome, replyOutcome } from "../answered.ts";
import { rpcError } from "../call.ts";
import type { GatewayContext } from "../context.ts";
import { readBody } from "../read-body.ts";
import { renderReply } from "../render.ts";
import { come_back, shutting_down } from "../shutting-down.ts";
import { classify, readHeader } from "./classify.ts";
import { acceptsJson, acceptsStreams, askedBy, type Exchange } from "./exchange.ts";
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
export function serveMcpAddress(
	exchange: Exchange,
	edges: Edges,
	context: GatewayContext,
): Promise<void> {
	if (exchange.request.method === "POST") return servePost(exchange, edges, context);
	return serveLegacyOnly(exchange, edges.legacy, context);
}

/** GET and DELETE exist for legacy sessions only; a modern client is told so. */
async function serveLegacyOnly(
	exchange: Exchange,
	legacy: LegacyEdge,
	context: GatewayContext,
): Promise<void> {
	const { method } = exchange.request;
	if (method !== "GET" && method !== "DELETE") {
		const text = "Use POST, GET or DELETE here";
		refuse({ exchange, context }, 405, rpc_codes.invalid_request, text);
		return;
	}
	const version = readHeader(exchange.request.headers, header_names.protocol_version);
	if (version !== undefined && eraOf(version) === "modern") {
		const text = `Revision ${version} has no ${method} here; use POST`;
		refuse({ exchange, context }, 405, rpc_codes.invalid_request, text);
	} else if (method === "GET") {
		await legacy.get(exchange);
	} else {
		await legacy.delete(exchange);
	}
}

async function servePost(exchange: Exchange, edges: Edges, context: GatewayContext): Promise<void> {
	const { request } = exchange;
	const problem = mediaProblem(exchange);
	if (problem !== undefined) {
		refuse({ exchange, context }, problem.status, rpc_codes.invalid_request, problem.text);
		return;
	}
	const bytes_max = context.limits.body_bytes_max;
	const body = await readBody(request, bytes_max);
	if (!body.ok) {
		if (body.problem === "aborted") return;
		const text = `The request is larger than ${bytes_max} bytes (limits.body)`;
		exchange.response.setHeader("connection", "close");
		refuse({ exchange, context }, 413, rpc_codes.invalid_request, text);
		return;
	}
	if (isBatch(body.value)) {
		if (edges.stopping.aborted) return refuseStopping({ exchange, context });
		return edges.legacy.batch(exchange, body.value);
	}
	const indexed = indexMessage(body.value);
	if (!indexed.ok) {
		const { code, message, id } = indexed.problem;
		// What stands in bytes that are no JSON is no id (JSON-RPC 2.0, section 5).
		const asked = { exchange, context, body_bytes: body.value.length };
		refuse(asked, 400, code, message, code === rpc_codes.parse_error ? "null" : id);
		return;
	}
	const message = indexed.value;
	if (edges.stopping.aborted && message.kind === "request") {
		return refuseStopping({ exchange, context, message });
	}
	const era = classify(message, request.headers);
	if (era.kind === "rejected") {
		const raw = message.id === undefined ? "null" : rawText(message.bytes, message.id);
		const to = { id: raw, method: message.method ?? "", era: "modern" } as const;
		finish(exchange, wholeBody(renderReply(era.reply, to).bytes), 400);
		noteAnswered({ ...askedBy(exchange), message, outcome: replyOutcome(era.reply) }, context);
		return;
	}
	await edges[era.kind].post(exchange, message);
}

/** A request that is refused, as far as it is known. */
interface Refused {
	readonly exchange: Exchange;
	readonly context: GatewayContext;
	readonly message?: Message;
	readonly body_bytes?: number;
}

function refuseStopping({ exchange, context, message }: Refused): void {
	const { response, headers } = exchange;
	const id = message?.id === undefined ? undefined : rawText(message.bytes, message.id);
	answerError(response, 503, { ...shutting_down, id }, { ...headers, ...come_back });
	const outcome = refusedOutcome(503, shutting_down);
	noteAnswered({ ...askedBy(exchange), message, outcome }, context);
}

function mediaProblem(exchange: Exchange): { status: number; text: string } | undefined {
	const type = exchange.request.headers["content-type"] ?? "";
	// As nearly every client writes it, no pattern has to be asked.
	if (type !== "application/json" && !/^application\/json\s*(;|$)/i.test(type)) {
		return { status: 415, text: "Content-Type must be application/json" };
	}
	if (!acceptsJson(exchange.request) && !acceptsStreams(exchange.request)) {
		const text = "Accept must include application/json and text/event-stream";
		return { status: 406, text };
	}
	return undefined;
}

function refuse(
	{ exchange, context, body_bytes = 0 }: Refused,
	status: number,
	code: number,
	text: string,
	id: string | undefined = "null",
): void {
	finish(exchange, composeError(id, code, text), status);
	const outcome = replyOutcome(rpcError(code, text));
	noteAnswered({ ...askedBy(exchange), body_bytes, outcome }, context);
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
