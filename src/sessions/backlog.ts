/** How far a stream may run ahead of its reader. */
export interface BacklogLimits {
	/** From here on the reader is behind. */
	readonly events: number;
	readonly bytes: number;
}

/** What holds unless told otherwise. */
export const default_backlog_limits: BacklogLimits = { events: 256, bytes: 4 * 1024 * 1024 };

/** So many times the limits is more than anybody should add to. */
const overrun_factor = 2;

/** It has caught up when what is left is this part of the limits. */
const caught_up_part = 0.5;

/**
 * What has been recorded on a stream and was never read: counted by the highest number that was
 * delivered, so that what a client reads a second time after it came back does not count twice.
 *
 *     keeps up ──limits──> behind ──twice the limits──> overrun
 *        └──half the limits───┴──────────────────────────┘
 */
export class Backlog {
	readonly #limits: BacklogLimits;
	#events = 0;
	#bytes = 0;
	#delivered_seq = 0;
	#over = false;
	#caught_up: PromiseWithResolvers<void> | undefined;

	constructor(limits: BacklogLimits) {
		this.#limits = limits;
	}

	/** Counts an event that was recorded. */
	added(bytes: number): void {
		this.#events += 1;
		this.#bytes += bytes;
	}

	/** Counts an event off that was delivered, the first time it is. */
	delivered(seq: number, bytes: number): void {
		if (seq <= this.#delivered_seq) return;
		this.#delivered_seq = seq;
		this.#events -= 1;
		this.#bytes -= bytes;
		if (!this.#reaches(caught_up_part)) this.#release();
	}

	/** Undefined while the reader keeps up; else resolves when it has caught up. */
	caughtUp(): Promise<void> | undefined {
		if (this.#over) return undefined;
		if (this.#caught_up === undefined) {
			if (!this.#reaches(1)) return undefined;
			this.#caught_up = Promise.withResolvers();
		}
		return this.#caught_up.promise;
	}

	/** True when nothing should be added that can be left out. */
	get is_overrun(): boolean {
		return this.#reaches(overrun_factor);
	}

	/** Nothing will be read any more, or nothing added: nobody has to wait. Idempotent. */
	close(): void {
		this.#over = true;
		this.#release();
	}

	#reaches(part: number): boolean {
		return this.#events >= this.#limits.events * part || this.#bytes >= this.#limits.bytes * part;
	}

	#release(): void {
		this.#caught_up?.resolve();
		this.#caught_up = undefined;
	}
}
