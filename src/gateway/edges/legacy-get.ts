import { header_names } from "../../protocol/headers.ts";
import { formatEventId } from "../../sessions/event-ids.ts";
import type { ResumeRefusal } from "../../sessions/events.ts";
import type { Session } from "../../sessions/sessions.ts";
import { wholeBody } from "../../wire/body.ts";
import { encodeSseEvent } from "../../wire/sse.ts";
import type { GatewayContext } from "../context.ts";
import type { Pushes } from "../pushes.ts";
import { renderReply } from "../render.ts";
import { readHeader } from "./classify.ts";
import { EventResponse, openEventStream } from "./event-response.ts";
import type { Exchange } from "./exchange.ts";
import { sse_headers } from "./http-reply.ts";
import { SessionPush } from "./legacy-push.ts";
import type { LegacySessionState } from "./legacy-state.ts";
import { pushListener } from "./push-listener.ts";
import { parsePurpose, type StreamPurpose } from "./stream-purpose.ts";

/** What serving a session's GET needs. */
export interface GetParts {
	readonly exchange: Exchange;
	readonly session: Session;
	readonly state: LegacySessionState;
	readonly context: GatewayContext;
	readonly pushes: Pushes;
}

/** First revision whose clients know events without data. */
const priming_revision = "2025-11-25";

/** No content: the way of event streams to tell a client that it need not come back. */
const status_complete = 204;

/** Opens the session's push stream, or takes up the stream that `Last-Event-ID` names. */
export async function serveGet(parts: GetParts): Promise<"served" | "unknown"> {
	const { exchange, context, session } = parts;
	const last = readHeader(exchange.request.headers, header_names.last_event_id);
	if (last !== undefined && last !== "") return resume(parts, last);
	const letGo = context.sessions.hold(session.id);
	exchange.response.once("close", letGo);
	const { clock, events } = context;
	const { headers } = exchange;
	const reader = openEventStream(exchange.response, {
		clock,
		headers,
		events,
		session_id: session.id,
		about: '{"kind":"push"}',
		primed: session.revision >= priming_revision,
	});
	if (reader === undefined) {
		new EventResponse(exchange.response, clock, headers).onEnd("session_ended");
		return "served";
	}
	// A new push stream takes the place of the one before; a session has one at a time.
	parts.state.push?.end();
	parts.state.push = pushOn(parts, reader.stream);
	return "served";
}

function pushOn(parts: GetParts, stream: string): SessionPush {
	const { context, exchange, pushes, session } = parts;
	return new SessionPush(context.events, session.id, stream, (push) =>
		pushes.listen(pushListener(context, exchange.endpoint.name, session, exchange.who, push)),
	);
}

async function resume(parts: GetParts, last_event_id: string): Promise<"served" | "unknown"> {
	const { exchange, context, session, state } = parts;
	// The stream is asked for before anything is answered: an unknown one gets a plain error.
	const pending: { carrier?: EventResponse } = {};
	const found = await context.events.resume(session.id, last_event_id, {
		onEvent: (event) => pending.carrier?.onEvent(event),
		onEnd: (reason) => pending.carrier?.onEnd(reason),
	});
	if (!found.ok) return refuseResume(parts, found.problem);
	if (exchange.response.destroyed) {
		found.value.close();
		return "served";
	}
	const letGo = context.sessions.hold(session.id);
	exchange.response.once("close", letGo);
	const reader = found.value;
	const purpose = parsePurpose(reader.about);
	if (reader.orphaned) adopt(parts, reader.stream, purpose, state);
	pending.carrier = new EventResponse(exchange.response, context.clock, exchange.headers);
	// A client that loses this connection too, before any event, comes back with what it heard on
	// it: without an id of its own it would not find the stream again.
	const place = { id: last_event_id, data: Buffer.alloc(0) };
	pending.carrier.carry(reader, session.revision >= priming_revision ? place : undefined);
	state.questions.again(reader.stream);
	return "served";
}

/**
 * A stream that cannot be taken up. Where there is nothing more to say its client is sent away
 * for good (SDK 1.x comes back even after an error, and without an id at the second time); where
 * the answer to a call may have been thrown away the client is told, instead of left waiting.
 */
function refuseResume(parts: GetParts, why: ResumeRefusal): "served" | "unknown" {
	const { exchange, context } = parts;
	const { headers, response } = exchange;
	if (why.kind === "unknown") return "unknown";
	if (why.kind === "complete") {
		response.writeHead(status_complete, headers).end();
		return "served";
	}
	const purpose = parsePurpose(why.about);
	if (purpose.kind === "push") return "unknown";
	const id = formatEventId(why.stream, 0, true);
	const data = lostAnswer(context, purpose, "Events of this call were thrown away unread.");
	response.writeHead(200, { ...headers, ...sse_headers }).end(encodeSseEvent({ id, data }));
	return "served";
}

/** The answer to a call whose own answer is lost. */
function lostAnswer(
	context: GatewayContext,
	{ id, method }: StreamPurpose & { kind: "call" },
	what: string,
): Buffer {
	const fault = context.fault({
		code: "server_exited",
		message: `${what} Whether the server finished it is not known; check before you repeat it.`,
		level: "warn",
		retry_safe: false,
	});
	return wholeBody(renderReply({ kind: "fault", fault }, { id, method, era: "legacy" }).bytes);
}

/**
 * A stream of an earlier run of the gateway. A push stream simply goes on. A call's stream
 * cannot: its call was lost with that run, and its client is told so instead of left waiting.
 */
function adopt(
	parts: GetParts,
	stream: string,
	purpose: StreamPurpose,
	state: LegacySessionState,
): void {
	const { context, session } = parts;
	if (purpose.kind === "push") {
		if (state.push?.stream === stream) return;
		state.push?.end();
		state.push = pushOn(parts, stream);
		return;
	}
	const what = "The gateway was restarted while this call was running.";
	context.events.finish(session.id, stream, lostAnswer(context, purpose, what));
}
