import type { Clock } from "../lib/clock.ts";

/** How fast tokens come back. */
export interface Rate {
	readonly calls: number;
	readonly per_ms: number;
	/** Tokens of a full bucket. */
	readonly burst: number;
}

/** Buckets of one limit that are kept at a time; a full one need not be kept. */
export const buckets_max = 100_000;

/**
 * Token buckets, one for each key. Of a bucket one number is kept: the time at which it will be
 * full again (the generic cell rate algorithm).
 *
 *      full_at_ms - now
 *      0                 interval                    burst * interval
 *      |-----------------|---------------------------|
 *      full              one token is missing        empty: the next has to wait
 */
export class TokenBuckets {
	readonly #clock: Pick<Clock, "monotonic">;
	readonly #interval_ms: number;
	readonly #room_ms: number;
	readonly #max: number;
	/** By key. Once there is room for no more than as many again, the one used longest ago first. */
	readonly #buckets = new Map<string, { full_at_ms: number }>();

	constructor(rate: Rate, clock: Pick<Clock, "monotonic">, max = buckets_max) {
		this.#clock = clock;
		this.#interval_ms = rate.per_ms / rate.calls;
		this.#room_ms = rate.burst * this.#interval_ms;
		this.#max = max;
	}

	get size(): number {
		return this.#buckets.size;
	}

	/** Milliseconds until there is a token; 0 where there is one now. Takes none. */
	wait(key: string): number {
		const now_ms = this.#clock.monotonic();
		const full_at_ms = Math.max(this.#buckets.get(key)?.full_at_ms ?? now_ms, now_ms);
		const missing_ms = full_at_ms + this.#interval_ms - now_ms - this.#room_ms;
		// What is left of a division must not keep anyone waiting.
		return missing_ms <= this.#room_ms * 1e-9 ? 0 : missing_ms;
	}

	/** Takes a token that `wait` has said is there. */
	take(key: string): void {
		const now_ms = this.#clock.monotonic();
		const known = this.#buckets.get(key);
		const full_at_ms = Math.max(known?.full_at_ms ?? now_ms, now_ms) + this.#interval_ms;
		// While there are few, nobody will have to go, and their order does not matter.
		if (known !== undefined && this.#buckets.size <= this.#max / 2) {
			known.full_at_ms = full_at_ms;
			return;
		}
		if (known !== undefined) this.#buckets.delete(key);
		if (this.#buckets.size >= this.#max) this.#makeRoom(now_ms);
		this.#buckets.set(key, { full_at_ms });
	}

	/** Those that are full again go; where all are in use, the one that was used longest ago. */
	#makeRoom(now_ms: number): void {
		for (const [key, { full_at_ms }] of this.#buckets) {
			if (full_at_ms <= now_ms) this.#buckets.delete(key);
		}
		if (this.#buckets.size < this.#max) return;
		const [oldest] = this.#buckets.keys();
		if (oldest !== undefined) this.#buckets.delete(oldest);
	}
}
