import type { EventStream } from "./event-stream.ts";

/** An event in memory. */
export interface TailEvent {
	readonly stream: EventStream;
	readonly seq: number;
	readonly data: Buffer;
	/** `pending` until the store was written, then whether it is there. */
	kept: "pending" | "stored" | "lost";
}

/** What an event costs in memory beyond its data. */
const event_overhead_bytes = 256;

/**
 * The newest events of all streams together, within one bound of bytes; the oldest leaves
 * first. One that is still being written stays: how many those may be is the writer's bound.
 */
export class EventTail {
	readonly #bytes_max: number;
	readonly #onLeave: (stream: EventStream) => void;
	readonly #events = new Set<TailEvent>();
	#bytes = 0;

	/** `onLeave` is called after an event of the stream has left memory. */
	constructor(bytes_max: number, onLeave: (stream: EventStream) => void) {
		this.#bytes_max = bytes_max;
		this.#onLeave = onLeave;
	}

	/** Bytes of memory that the events hold. */
	get bytes(): number {
		return this.#bytes;
	}

	add(event: TailEvent): void {
		this.#events.add(event);
		this.#bytes += event.data.length + event_overhead_bytes;
		this.#makeRoom();
	}

	/** Notes what became of an event's write. */
	settle(event: TailEvent, stored: boolean): void {
		event.kept = stored ? "stored" : "lost";
		this.#makeRoom();
	}

	/** Forgets an event whose stream is forgotten. */
	remove(event: TailEvent): void {
		if (this.#events.delete(event)) this.#bytes -= event.data.length + event_overhead_bytes;
	}

	#makeRoom(): void {
		for (const event of this.#events) {
			if (this.#bytes <= this.#bytes_max || event.kept === "pending") return;
			this.remove(event);
			event.stream.leaveMemory(event);
			this.#onLeave(event.stream);
		}
	}
}
