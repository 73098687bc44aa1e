import type { ServerResponse } from "node:http";
import type { Clock, Timer } from "../../lib/clock.ts";
import type { SessionEvents } from "../../sessions/events.ts";
import { type Body, wholeBody } from "../../wire/body.ts";
import type { Channel } from "./channel.ts";
import { openEventStream } from "./event-response.ts";
import { HttpReply } from "./http-reply.ts";

/** A call that takes longer than this is answered on a stream, which can be resumed. */
const resumable_after_ms = 500;

/** First revision whose clients know priming events and come back by themselves. */
const priming_revision = "2025-11-25";

/** What a session's reply is made from. */
export interface SessionReplyOptions {
	readonly clock: Clock;
	readonly headers: Readonly<Record<string, string>>;
	readonly events: SessionEvents;
	readonly session_id: string;
	readonly revision: string;
	/** Kept with the stream for whoever resumes it: see `StreamPurpose`. */
	readonly about: string;
}

/**
 * The reply to one request of a legacy session. A quick result goes out as plain JSON. As soon
 * as there is something else to send, or after a moment, it becomes a recorded stream: its
 * client may lose the connection and still gets the result, exactly once.
 */
export class SessionReply implements Channel {
	readonly takes_streams = true;
	readonly #response: ServerResponse;
	readonly #options: SessionReplyOptions;
	#stream: string | undefined;
	#plain: HttpReply | undefined;
	#finished = false;
	#timer: Timer | undefined;

	constructor(response: ServerResponse, options: SessionReplyOptions) {
		this.#response = response;
		this.#options = options;
		if (options.revision < priming_revision) return;
		this.#timer = options.clock.afterIdle(resumable_after_ms, () => this.#open());
	}

	/** The recorded stream behind it, once there is one. */
	get stream(): string | undefined {
		return this.#stream;
	}

	get finished(): boolean {
		return this.#finished;
	}

	send(bytes: Buffer): void {
		if (this.#finished) return;
		this.#open();
		if (this.#plain !== undefined) this.#plain.send(bytes);
		else this.#append(bytes);
	}

	backlog(): Promise<void> | undefined {
		const { events, session_id } = this.#options;
		if (this.#plain !== undefined) return this.#plain.backlog();
		return this.#stream === undefined ? undefined : events.backlog(session_id, this.#stream);
	}

	get is_overrun(): boolean {
		const { events, session_id } = this.#options;
		return this.#stream !== undefined && events.isOverrun(session_id, this.#stream);
	}

	finish(body: Body, status: number, headers?: Readonly<Record<string, string>>): void {
		if (this.#finished) return;
		this.#finished = true;
		this.#timer?.cancel();
		if (this.#stream === undefined) {
			this.#plainReply(false).finish(body, status, headers);
			return;
		}
		this.#options.events.finish(this.#options.session_id, this.#stream, wholeBody(body));
	}

	end(status: number): void {
		if (this.#finished) return;
		this.#finished = true;
		this.#timer?.cancel();
		const { events, session_id } = this.#options;
		if (this.#stream === undefined) this.#plainReply(false).end(status);
		else events.end(session_id, this.#stream);
	}

	#open(): void {
		if (this.#stream !== undefined || this.#plain !== undefined || this.#finished) return;
		if (this.#response.destroyed) return;
		const primed = this.#options.revision >= priming_revision;
		const reader = openEventStream(this.#response, { ...this.#options, primed });
		if (reader === undefined) {
			// Too many streams are open to record another: this one lives and dies here.
			this.#plainReply(true);
			return;
		}
		this.#stream = reader.stream;
	}

	#append(bytes: Buffer): void {
		const { events, session_id } = this.#options;
		if (this.#stream !== undefined) events.append(session_id, this.#stream, bytes);
	}

	#plainReply(streams: boolean): HttpReply {
		const { clock, headers } = this.#options;
		this.#plain ??= new HttpReply(this.#response, { clock, headers, streams });
		return this.#plain;
	}
}
