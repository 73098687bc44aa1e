import type { Clock } from "../lib/clock.ts";

/** Failures count for so long. */
const window_ms = 15 * 60_000;
/** Failures of one name from one address, of one address, and of one name from anywhere. */
const limits = { pair: 5, address: 50, name: 100 } as const;
/** Names and addresses that are remembered. */
const remembered_max = 30_000;

/**
 * Counts failed logins, so that passwords cannot be guessed: by name and address together first,
 * which stops one guesser without locking out whoever has the name; by address and by name alone
 * for those who vary the other.
 */
export class Guesses {
	readonly #clock: Clock;
	/** When each failure happened; the one that was used last is the last of the map. */
	readonly #failures = new Map<string, number[]>();

	constructor(clock: Clock) {
		this.#clock = clock;
	}

	/** Milliseconds to wait before the next try; 0: it may be now. */
	waitFor(name: string, address: string): number {
		const waits = keysOf(name, address).map(([key, count_max]) => this.#wait(key, count_max));
		return Math.max(...waits);
	}

	onFailed(name: string, address: string): void {
		const now_ms = this.#clock.monotonic();
		for (const [key, count_max] of keysOf(name, address)) {
			const times = this.#recent(key);
			this.#failures.delete(key);
			this.#failures.set(key, [...times, now_ms].slice(-count_max));
		}
		for (const key of this.#failures.keys()) {
			if (this.#failures.size <= remembered_max) break;
			this.#failures.delete(key);
		}
	}

	onSucceeded(name: string, address: string): void {
		const [pair] = keysOf(name, address);
		if (pair !== undefined) this.#failures.delete(pair[0]);
	}

	#wait(key: string, count_max: number): number {
		const times = this.#recent(key);
		const [oldest] = times;
		if (oldest === undefined || times.length < count_max) return 0;
		return oldest + window_ms - this.#clock.monotonic();
	}

	#recent(key: string): number[] {
		const since_ms = this.#clock.monotonic() - window_ms;
		return (this.#failures.get(key) ?? []).filter((at_ms) => at_ms > since_ms);
	}
}

function keysOf(name: string, address: string): [string, number][] {
	return [
		[JSON.stringify([name, address]), limits.pair],
		[`address ${address}`, limits.address],
		[`name ${name}`, limits.name],
	];
}
