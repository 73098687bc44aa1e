import { formatEventId } from "./event-ids.ts";
import type { EventStream } from "./event-stream.ts";

/** One event as it goes to a client. */
export interface StreamEvent {
	/** The value of the event's `id:` field. */
	readonly id: string;
	readonly data: Buffer;
}

/** Why a reader gets no more events. */
export type ReaderEnd =
	| "complete" // the stream has ended and everything was delivered
	| "replaced" // another connection reads the stream now
	| "expired" // events that come next were thrown away
	| "session_ended" // the session is gone
	| "failed"; // the store could not be read; the log has the reason

/** Whoever carries a stream's events to its client. */
export interface EventListener {
	/** Called in order, each event once. */
	onEvent(event: StreamEvent): void;
	/** Called at most once, last. */
	onEnd(reason: ReaderEnd): void;
}

/** A connection's hold on a stream. It delivers nothing until `flow` is called. */
export interface EventReader {
	readonly stream: string;
	/** What the stream was opened for. */
	readonly about: string;
	/** True when an earlier run of the gateway opened it and nobody has ended it since. */
	readonly orphaned: boolean;
	/** Delivers what there is and what comes, until `pause`. */
	flow(): void;
	/** Delivers nothing for now: the client reads too slowly. Nothing is lost meanwhile. */
	pause(): void;
	/** The connection is gone; the stream goes on and can be resumed. */
	close(): void;
}

/** Stored events of a stream behind a number; undefined when some were thrown away. */
export type ReadStored = (
	stream: EventStream,
	seq: number,
) => Promise<readonly { readonly seq: number; readonly data: Buffer }[] | undefined>;

/** What a reader is made from. */
export interface StreamReaderParts {
	readonly stream: EventStream;
	/** The number of the last event the client has. */
	readonly seq: number;
	readonly listener: EventListener;
	readonly readStored: ReadStored;
	/** Called when the reader lets go of the stream. */
	readonly onRelease: (stream: EventStream) => void;
	readonly onFailure: (stream: EventStream, error: unknown) => void;
}

/**
 * Reads a stream from a place on: first what only the store has, page by page, then what is in
 * memory, then each event as it comes. The place is a number, so pausing, and events leaving
 * memory meanwhile, cost nothing but another look into the store.
 */
export class StreamReader implements EventReader {
	readonly #parts: StreamReaderParts;
	#seq: number;
	#flowing = false;
	#loading = false;
	#over = false;

	constructor(parts: StreamReaderParts) {
		this.#parts = parts;
		this.#seq = parts.seq;
	}

	get stream(): string {
		return this.#parts.stream.name;
	}

	get about(): string {
		return this.#parts.stream.about;
	}

	get orphaned(): boolean {
		return this.#parts.stream.orphaned && !this.#parts.stream.ended;
	}

	flow(): void {
		this.#flowing = true;
		this.advance();
	}

	pause(): void {
		this.#flowing = false;
	}

	close(): void {
		if (this.#over) return;
		this.#over = true;
		this.#parts.onRelease(this.#parts.stream);
	}

	/** Ends the reading and says why. */
	finish(reason: ReaderEnd): void {
		if (this.#over) return;
		this.close();
		this.#parts.listener.onEnd(reason);
	}

	/** Delivers what can be delivered now. Called whenever the stream has changed. */
	advance(): void {
		const { stream } = this.#parts;
		while (this.#flowing && !this.#over && !this.#loading) {
			if (this.#seq < stream.lost_seq) return this.finish("expired");
			if (this.#seq < stream.stored_seq) {
				void this.#load();
				return;
			}
			const event = stream.nextAfter(this.#seq);
			if (event === undefined) {
				if (stream.ended) this.finish("complete");
				return;
			}
			this.#deliver(event);
		}
	}

	async #load(): Promise<void> {
		const { stream, readStored, onFailure } = this.#parts;
		const stored_seq = stream.stored_seq;
		this.#loading = true;
		try {
			const page = await readStored(stream, this.#seq);
			if (page === undefined) return this.finish("expired");
			for (const event of page) {
				if (!this.#flowing || this.#over) return;
				this.#deliver(event);
			}
			// There is nothing between here and what was in memory when the store was asked.
			if (page.length === 0) this.#seq = Math.max(this.#seq, stored_seq);
		} catch (error) {
			onFailure(stream, error);
			this.finish("failed");
		} finally {
			this.#loading = false;
		}
		this.advance();
	}

	#deliver(event: { readonly seq: number; readonly data: Buffer }): void {
		// The place first: the listener may append to this very stream.
		this.#seq = event.seq;
		const { stream } = this.#parts;
		stream.backlog.delivered(event.seq, event.data.length);
		const id = formatEventId(stream.name, event.seq, stream.isComplete(event.seq));
		this.#parts.listener.onEvent({ id, data: event.data });
	}
}
