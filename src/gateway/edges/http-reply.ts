import type { ServerResponse } from "node:http";
import type { Clock } from "../../lib/clock.ts";
import { type Awaited, Deadlines } from "../../upstreams/deadlines.ts";
import { type Body, bodyLength, isWhole, wholeBody } from "../../wire/body.ts";
import { encodeSseEvent, sse_comment_keep_alive } from "../../wire/sse.ts";
import type { Channel } from "./channel.ts";

/** How long a response stays silent before it proves that it is alive. */
export const keep_alive_ms = 15_000;

/** What may wait for a client that reads too slowly, beside the one message that exceeds it. */
export const unread_bytes_max = 8 * 1024 * 1024;

/** How long a client may leave a full stream unread before it is cut off. */
export const unread_ms_max = 60_000;

/** Bodies up to this size are joined with the response's head. */
const joined_bytes_max = 16 * 1024;

const json_type = "application/json";
/** The head of every event stream. */
export const sse_headers = {
	"content-type": "text/event-stream",
	"cache-control": "no-cache, no-transform",
	// Tells nginx and its kin not to hold events back (transports, 2026-07-28).
	"x-accel-buffering": "no",
};

/**
 * All replies of a clock are watched together: a timer of its own would cost each of them more than
 * its head does.
 */
const silences_by_clock = new WeakMap<Clock, Deadlines<HttpReply>>();

function silencesOf(clock: Clock): Deadlines<HttpReply> {
	let silences = silences_by_clock.get(clock);
	if (silences === undefined) {
		silences = new Deadlines<HttpReply>(clock, (reply) => reply.proveAlive());
		silences_by_clock.set(clock, silences);
	}
	return silences;
}

/** What a reply may be told about the events it writes. */
export interface ReplyOptions {
	readonly clock: Clock;
	/** Sent with the response's head, e.g. CORS and session headers. */
	readonly headers: Readonly<Record<string, string>>;
	/** True when the client accepts `text/event-stream`; without it there is only one answer. */
	readonly streams: boolean;
}

/**
 * The HTTP side of one request. It stays undecided as long as it can: a lone result goes out
 * as plain JSON, the first notification (or a long silence) turns it into an event stream.
 */
export class HttpReply implements Channel, Awaited {
	/** How long it may be silent. These four are for `Deadlines`. */
	patience_ms = keep_alive_ms;
	due_ms = 0;
	sooner: Awaited | undefined = undefined;
	later: Awaited | undefined = undefined;
	readonly #response: ServerResponse;
	readonly #options: ReplyOptions;
	/** Where it is watched for silence; undefined for one that cannot stream. */
	readonly #silences: Deadlines<HttpReply> | undefined;
	#streaming = false;
	#finished = false;
	#backlog: Promise<void> | undefined;

	constructor(response: ServerResponse, options: ReplyOptions) {
		this.#response = response;
		this.#options = options;
		this.#silences = options.streams ? silencesOf(options.clock) : undefined;
		this.#silences?.add(this);
	}

	get streaming(): boolean {
		return this.#streaming;
	}

	/** True when messages can be sent ahead of the final one. */
	get takes_streams(): boolean {
		return this.#options.streams;
	}

	get finished(): boolean {
		return this.#finished;
	}

	/**
	 * Sends a message ahead of the final one. Dropped when the client takes no streams. A client
	 * that does not read what it is sent is cut off: nobody's memory pays for it.
	 */
	send(bytes: Buffer): void {
		if (this.#finished || !this.#options.streams) return;
		this.#startStream();
		if (this.#response.writableLength > unread_bytes_max) this.#response.destroy();
		else this.#writeEvent(bytes);
	}

	/**
	 * See `UpstreamRequest.backlog`: the client is behind when the connection takes no more. One
	 * that stays behind is cut off, which ends its call: its server is not held back for ever.
	 */
	backlog(): Promise<void> | undefined {
		const response = this.#response;
		if (!this.#streaming || !response.writableNeedDrain || response.destroyed) return undefined;
		this.#backlog ??= new Promise((resolve) => {
			const timer = this.#options.clock.afterIdle(unread_ms_max, () => response.destroy());
			const over = () => {
				timer.cancel();
				response.off("drain", over);
				response.off("close", over);
				this.#backlog = undefined;
				resolve();
			};
			response.on("drain", over);
			response.on("close", over);
		});
		return this.#backlog;
	}

	/** Sends the final message and ends. Later calls do nothing. */
	finish(body: Body, status: number, headers?: Readonly<Record<string, string>>): void {
		if (this.#finished) return;
		if (this.#streaming) this.#writeEvent(wholeBody(body));
		this.#finished = true;
		this.#silences?.remove(this);
		if (this.#streaming) {
			this.#response.end();
			return;
		}
		this.#response.writeHead(status, {
			...this.#options.headers,
			...headers,
			"content-type": json_type,
			"content-length": bodyLength(body),
		});
		this.#end(body);
	}

	#end(body: Body): void {
		const response = this.#response;
		if (!isWhole(body)) {
			response.cork();
			for (const piece of body) response.write(piece);
			response.end();
		} else if (body.length <= joined_bytes_max) {
			// As text of the head's own encoding, a small body leaves in the same write as the head.
			response.end(body.toString("latin1"), "latin1");
		} else response.end(body);
	}

	/** Ends without a message: an accepted notification, or a stream that is over. */
	end(status: number): void {
		if (this.#finished) return;
		this.#finished = true;
		this.#silences?.remove(this);
		if (!this.#streaming) this.#response.writeHead(status, this.#options.headers);
		this.#response.end();
	}

	/** The client is gone: there is nobody to prove anything to. */
	abandon(): void {
		this.#silences?.remove(this);
	}

	/** It was silent for as long as it may be. */
	proveAlive(): void {
		if (this.#finished || this.#response.destroyed) return;
		this.#startStream();
		this.#response.write(sse_comment_keep_alive);
		this.#silences?.add(this);
	}

	#startStream(): void {
		if (this.#streaming) return;
		this.#streaming = true;
		this.#response.writeHead(200, { ...this.#options.headers, ...sse_headers });
		this.#response.flushHeaders();
	}

	#writeEvent(data: Buffer): void {
		this.#response.write(encodeSseEvent({ data }));
	}
}
