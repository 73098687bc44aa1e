import type { SessionEvents } from "../../sessions/events.ts";
import { type Body, wholeBody } from "../../wire/body.ts";
import type { PushChannel } from "./legacy-state.ts";

/**
 * The push stream of one legacy session. It belongs to the session, not to a connection: what
 * is pushed while its client is away is there when the client comes back with `Last-Event-ID`.
 */
export class SessionPush implements PushChannel {
	readonly takes_streams = true;
	readonly #events: SessionEvents;
	readonly #session_id: string;
	readonly #forget: () => void;
	readonly stream: string;
	#finished = false;

	constructor(
		events: SessionEvents,
		session_id: string,
		stream: string,
		listen: (push: SessionPush) => () => void,
	) {
		this.#events = events;
		this.#session_id = session_id;
		this.stream = stream;
		this.#forget = listen(this);
	}

	get finished(): boolean {
		return this.#finished;
	}

	send(bytes: Buffer): void {
		if (!this.#finished) this.#events.append(this.#session_id, this.stream, bytes);
	}

	finish(body: Body, _status: number): void {
		if (this.#finished) return;
		this.abandon();
		this.#events.finish(this.#session_id, this.stream, wholeBody(body));
	}

	end(): void {
		if (this.#finished) return;
		this.abandon();
		this.#events.end(this.#session_id, this.stream);
	}

	/** The gateway stops: nothing more is sent, but the stream can be taken up afterwards. */
	abandon(): void {
		this.#finished = true;
		this.#forget();
	}
}
