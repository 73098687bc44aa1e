import { header_names } from "../../protocol/headers.ts";
import type { Session } from "../../sessions/sessions.ts";
import type { GatewayContext } from "../context.ts";
import type { Pushes } from "../pushes.ts";
import { renderReply } from "../render.ts";
import { readHeader } from "./classify.ts";
import { EventResponse, openEventStream } from "./event-response.ts";
import type { Exchange } from "./exchange.ts";
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
		pushes.listen(pushListener(context, exchange.endpoint.name, session, push)),
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
	if (!found.ok) return "unknown";
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
	return "served";
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
	const fault = context.fault({
		code: "server_exited",
		message:
			"The gateway was restarted while this call was running. Whether the server finished it " +
			"is not known; check before you repeat it.",
		level: "warn",
		retry_safe: false,
	});
	const to = { id: purpose.id, method: purpose.method, era: "legacy" } as const;
	context.events.append(session.id, stream, renderReply({ kind: "fault", fault }, to).bytes);
	context.events.end(session.id, stream);
}
