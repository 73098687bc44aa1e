import assert from "node:assert/strict";
import { Backlog, type BacklogLimits } from "./backlog.ts";
import type { StreamReader } from "./event-reader.ts";
import type { TailEvent } from "./event-tail.ts";

/** What a stream is made from. */
export interface EventStreamParts {
	readonly session_id: string;
	readonly name: string;
	readonly about: string;
	/** True when an earlier run of the gateway opened it and did not end it. */
	readonly orphaned: boolean;
	readonly ended: boolean;
	/** Events up to this number are not in memory; 0 for a new stream. */
	readonly stored_seq: number;
	readonly backlog_limits: BacklogLimits;
	/** Number of the newest event; 0 when there is none. */
	readonly newest_seq: number;
}

/**
 * One event stream as far as it is in memory: its newest events, and who reads it. What is
 * older is in the store only.
 *
 *     1 ........ stored_seq | stored_seq + 1 ........ newest
 *     in the store          | in `events`, and in the store a little later
 */
export class EventStream {
	readonly session_id: string;
	readonly name: string;
	readonly about: string;
	readonly orphaned: boolean;
	ended: boolean;
	/** True while the store has not been told yet that it has ended. */
	ending = false;
	reader: StreamReader | undefined;
	/** Settles when the store has the stream; undefined for one that came from there. */
	opening: Promise<unknown> | undefined;
	/** What its reader has not read yet. */
	readonly backlog: Backlog;
	readonly #events: TailEvent[] = [];
	#stored_seq: number;
	#newest_seq: number;
	#lost_seq = 0;

	constructor(parts: EventStreamParts) {
		this.session_id = parts.session_id;
		this.name = parts.name;
		this.about = parts.about;
		this.orphaned = parts.orphaned;
		this.ended = parts.ended;
		this.#stored_seq = parts.stored_seq;
		this.backlog = new Backlog(parts.backlog_limits);
		this.#newest_seq = parts.newest_seq;
	}

	/** Every event with a higher number is in memory. */
	get stored_seq(): number {
		return this.#stored_seq;
	}

	/** True while it has had no event. */
	get isEmpty(): boolean {
		return this.#newest_seq === 0;
	}

	/** True when nothing comes behind the event of this number any more. */
	isComplete(seq: number): boolean {
		return this.ended && seq >= this.#newest_seq;
	}

	/** The highest number of an event that is neither in memory nor, for sure, in the store. */
	get lost_seq(): number {
		return this.#lost_seq;
	}

	/** The events in memory, in order. */
	get events(): readonly TailEvent[] {
		return this.#events;
	}

	/** True when nothing would be missed if the stream were forgotten and loaded again. */
	get forgettable(): boolean {
		const idle = this.ended && !this.ending && this.reader === undefined;
		return idle && this.#events.length === 0 && this.#lost_seq === 0;
	}

	push(event: TailEvent): void {
		assert(!this.ended, "nothing is appended to a stream that has ended");
		this.#events.push(event);
		this.backlog.added(event.data.length);
		this.#newest_seq = event.seq;
	}

	/** The first event in memory behind a number. */
	nextAfter(seq: number): TailEvent | undefined {
		let low = 0;
		let high = this.#events.length;
		while (low < high) {
			const middle = (low + high) >>> 1;
			if ((this.#events[middle] as TailEvent).seq > seq) high = middle;
			else low = middle + 1;
		}
		return this.#events[low];
	}

	/** The oldest event in memory makes room. */
	leaveMemory(event: TailEvent): void {
		assert.equal(this.#events[0], event, "events leave memory in their order");
		this.#events.shift();
		this.#stored_seq = event.seq;
		if (event.kept !== "stored") this.#lost_seq = event.seq;
	}
}
