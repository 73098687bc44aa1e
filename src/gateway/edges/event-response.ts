import type { ServerResponse } from "node:http";
import type { Clock, Timer } from "../../lib/clock.ts";
import type { EventListener, EventReader, ReaderEnd } from "../../sessions/event-reader.ts";
import type { SessionEvents } from "../../sessions/events.ts";
import { encodeSseEvent, sse_comment_keep_alive } from "../../wire/sse.ts";
import { keep_alive_ms, sse_headers } from "./http-reply.ts";

/** How soon a client that lost its connection should come back. */
const retry_ms = 1_000;

/**
 * One connection that carries a recorded event stream. It reads no faster than its client
 * does; what is not read yet waits in the log, not in memory. When the connection breaks, the
 * stream goes on without it and can be taken up again.
 */
export class EventResponse implements EventListener {
	readonly #response: ServerResponse;
	readonly #clock: Clock;
	#reader: EventReader | undefined;
	#timer: Timer | undefined;
	#written = false;

	constructor(response: ServerResponse, clock: Clock, headers: Readonly<Record<string, string>>) {
		this.#response = response;
		this.#clock = clock;
		response.writeHead(200, { ...headers, ...sse_headers });
	}

	/**
	 * Starts carrying a stream. `priming` is an event without data that gives the client an id
	 * to come back with (transports, 2025-11-25); older clients do not expect one. It leaves in one
	 * write with the head: a client that has read a head, and no id before the connection broke,
	 * would wait for its answer for ever.
	 */
	carry(reader: EventReader, priming: { id: string; data: Buffer } | undefined): void {
		this.#reader = reader;
		if (priming !== undefined) this.#write(encodeSseEvent({ ...priming, retry_ms }));
		this.#response.once("close", () => {
			this.#timer?.cancel();
			reader.close();
		});
		this.#response.on("drain", () => reader.flow());
		this.#keepAlive();
		reader.flow();
		if (!this.#written) this.#response.flushHeaders();
	}

	onEvent(event: { id: string; data: Buffer }): void {
		if (!this.#write(encodeSseEvent(event))) this.#reader?.pause();
	}

	onEnd(_reason: ReaderEnd): void {
		this.#timer?.cancel();
		this.#response.end();
	}

	#write(bytes: Buffer): boolean {
		this.#written = true;
		return this.#response.write(bytes);
	}

	#keepAlive(): void {
		this.#timer = this.#clock.afterIdle(keep_alive_ms, () => {
			this.#response.write(sse_comment_keep_alive);
			this.#keepAlive();
		});
	}
}

/** What a recorded stream is opened with. */
export interface StreamOptions {
	readonly clock: Clock;
	readonly headers: Readonly<Record<string, string>>;
	readonly events: SessionEvents;
	readonly session_id: string;
	/** Kept with the stream for whoever resumes it: see `StreamPurpose`. */
	readonly about: string;
	/** Whether its client expects a priming event. */
	readonly primed: boolean;
}

/**
 * Opens a recorded stream on a response; undefined when the session may have no more of them.
 * Nothing is written before the store has the stream: whoever is told of it can come back to it,
 * and whoever is not, because the gateway was killed, knows by the broken connection.
 */
export function openEventStream(
	response: ServerResponse,
	{ clock, headers, events, session_id, about, primed }: StreamOptions,
): EventReader | undefined {
	let carrier: EventResponse | undefined;
	let ended: ReaderEnd | undefined;
	const reader = events.open(session_id, about, {
		onEvent: (event) => carrier?.onEvent(event),
		onEnd(reason) {
			ended = reason;
			carrier?.onEnd(reason);
		},
	});
	if (reader === undefined) return undefined;
	void events.openedDurably(session_id, reader.stream).then(() => {
		if (response.destroyed) {
			reader.close();
			return;
		}
		carrier = new EventResponse(response, clock, headers);
		if (ended === undefined) {
			carrier.carry(reader, primed ? events.priming(reader.stream) : undefined);
		} else {
			carrier.onEnd(ended);
		}
	});
	return reader;
}
