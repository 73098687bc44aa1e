import type { Principal } from "../../identity/principal.ts";
import { rpc_codes } from "../../protocol/codes.ts";
import { absent_meta_key } from "../../protocol/meta.ts";
import { assumed_legacy_revision, negotiateLegacy } from "../../protocol/revisions.ts";
import type { Session } from "../../sessions/sessions.ts";
import { composeResult } from "../../wire/compose.ts";
import type { Message, Span } from "../../wire/message.ts";
import { memberSpan, rawText, readString } from "../../wire/object.ts";
import { type ClientSide, type Reply, rpcError } from "../call.ts";
import type { GatewayContext } from "../context.ts";
import type { Endpoint } from "../endpoint.ts";
import { absentNotes } from "../local/absent-notes.ts";
import { type EndpointHello, endpointHello } from "../local/endpoint-hello.ts";
import { offeredHere } from "../local/offered-here.ts";
import { recordCall } from "../pipeline.ts";
import { renderReply } from "../render.ts";
import { edgeCall } from "./edge-call.ts";
import { acceptsStreams, type Exchange, traceHeader } from "./exchange.ts";
import { HttpReply } from "./http-reply.ts";
import { clientOf, unnamed_client } from "./session-client.ts";

/** Answers a legacy `initialize` and opens a session for it (lifecycle, 2025-11-25). */
export async function initialize(
	exchange: Exchange,
	message: Message,
	context: GatewayContext,
): Promise<void> {
	const id = rawText(message.bytes, message.id as Span);
	const streams = acceptsStreams(exchange.request);
	const options = { clock: context.clock, headers: exchange.headers, streams: false };
	const { endpoint, who } = exchange;
	const cancel = new AbortController();
	exchange.response.once("close", () => cancel.abort());
	const trace_header = traceHeader(exchange.request);
	const asked = { endpoint, who, message, signal: cancel.signal, trace_header };
	const opening = await openSession(asked, context);
	if (opening.kind === "refused") {
		const rendered = renderReply(opening.reply, { id, method: "initialize", era: "legacy" });
		new HttpReply(exchange.response, options).finish(rendered.bytes, opening.status);
		return;
	}
	const headers = { ...exchange.headers, "mcp-session-id": opening.session.id };
	const reply = new HttpReply(exchange.response, { ...options, headers, streams });
	reply.finish(composeResult(id, opening.result), 200);
}

/** An `initialize` that asks for a session. */
export interface SessionRequest {
	readonly endpoint: Endpoint;
	readonly who: Principal;
	readonly message: Message;
	/** Aborts when the client is gone. */
	readonly signal: AbortSignal;
	readonly trace_header?: string | undefined;
}

/** A session with the raw result to answer with, or why there is none. */
export type Opening =
	| { readonly kind: "opened"; readonly session: Session; readonly result: string }
	| { readonly kind: "refused"; readonly reply: Reply; readonly status: number };

/** Opens a session, stored and recorded before anybody hears of it. */
export async function openSession(
	asked: SessionRequest,
	context: GatewayContext,
): Promise<Opening> {
	const { who: principal, endpoint, message, signal, trace_header } = asked;
	const client = beginnerOf(message, principal.id);
	const call = edgeCall({ principal, endpoint, message, signal, client, trace_header }, context);
	const opening = await open(asked, context);
	if (opening.kind === "refused") await recordCall(call, opening.reply, context);
	else {
		const known = { ...call, client: clientOf(opening.session) };
		await recordCall(known, { kind: "result", json: opening.result }, context);
	}
	return opening;
}

/** A client that has no session yet, as it says what it is. */
function beginnerOf(message: Message, principal: string): ClientSide {
	const requested = readString(message.bytes, memberSpan(message.params, "protocolVersion"));
	return {
		era: "legacy",
		revision: requested ?? assumed_legacy_revision,
		capabilities: "{}",
		info: objectText(message, "clientInfo") ?? unnamed_client,
		session_id: undefined,
		principal,
		log_level: undefined,
	};
}

async function open(
	{ endpoint, who, message, signal }: SessionRequest,
	context: GatewayContext,
): Promise<Opening> {
	const { bytes, params } = message;
	const requested = readString(bytes, memberSpan(params, "protocolVersion"));
	const capabilities = objectText(message, "capabilities");
	const info = objectText(message, "clientInfo");
	if (requested === undefined || capabilities === undefined || info === undefined) {
		const text = "initialize needs protocolVersion, capabilities and clientInfo";
		return { kind: "refused", reply: rpcError(rpc_codes.invalid_params, text), status: 400 };
	}
	const hello = await endpointHello({ endpoint, principal: who, signal }, context);
	if (!hello.ok) {
		context.report(hello.problem, { endpoint: endpoint.name, method: "initialize" });
		return { kind: "refused", reply: { kind: "fault", fault: hello.problem }, status: 200 };
	}
	const revision = negotiateLegacy(requested);
	const parts = {
		endpoint: endpoint.name,
		principal: who.id,
		revision,
		client_capabilities: capabilities,
		client_info: info,
	};
	const session = context.sessions.create(parts, context.has_tenants);
	if (session === undefined) {
		const fault = context.fault({
			code: "overloaded",
			message:
				"Too many sessions are open, or your tenant has its share of them. End unused ones, or " +
				"raise limits.sessions.",
			level: "warn",
			retry_safe: true,
		});
		return { kind: "refused", reply: { kind: "fault", fault }, status: 503 };
	}
	await context.sessions.createdDurably(session);
	return { kind: "opened", session, result: initializeResult(revision, hello.value) };
}

function initializeResult(revision: string, hello: EndpointHello): string {
	const instructions =
		hello.instructions === undefined ? "" : `,"instructions":${JSON.stringify(hello.instructions)}`;
	const notes = absentNotes(hello.absent);
	const meta = notes === undefined ? "" : `,"_meta":{"${absent_meta_key}":${notes}}`;
	return (
		`{"protocolVersion":${JSON.stringify(revision)},` +
		`"capabilities":${JSON.stringify(offeredHere(hello.capabilities, "legacy"))},` +
		`"serverInfo":${hello.server_info}${instructions}${meta}}`
	);
}

const open_brace = 0x7b;

function objectText(message: Message, key: string): string | undefined {
	const span = memberSpan(message.params, key);
	if (span === undefined || message.bytes[span.start] !== open_brace) return undefined;
	return rawText(message.bytes, span);
}
