import type { Clock, Timer } from "../../src/lib/clock.ts";

interface Pending {
	readonly due_ms: number;
	readonly order: number;
	readonly fn: () => void;
	cancelled: boolean;
}

/** Time that stands still until a test moves it. Starts at 2026-01-01T00:00:00Z. */
export class FakeClock implements Clock {
	readonly #epoch_ms: number;
	#elapsed_ms = 0;
	#order = 0;
	#pending: Pending[] = [];

	constructor(epoch_ms = Date.UTC(2026, 0, 1)) {
		this.#epoch_ms = epoch_ms;
	}

	now(): number {
		return this.#epoch_ms + this.#elapsed_ms;
	}

	monotonic(): number {
		return this.#elapsed_ms;
	}

	after(delay_ms: number, fn: () => void): Timer {
		const pending: Pending = {
			due_ms: this.#elapsed_ms + Math.max(0, delay_ms),
			order: this.#order++,
			fn,
			cancelled: false,
		};
		this.#pending.push(pending);
		return {
			cancel: () => {
				pending.cancelled = true;
				this.#pending = this.#pending.filter((other) => other !== pending);
			},
		};
	}

	afterIdle(delay_ms: number, fn: () => void): Timer {
		return this.after(delay_ms, fn);
	}

	/** How many timers are set. */
	get pending(): number {
		return this.#pending.length;
	}

	/** When the next timer is due, on the `monotonic` scale. */
	get next_due_ms(): number | undefined {
		return this.#earliest()?.due_ms;
	}

	/**
	 * Moves time forward. Every timer that falls due fires at its own time and in order, and
	 * all promise work it causes is done before the next one fires.
	 */
	async advance(delay_ms: number): Promise<void> {
		const target_ms = this.#elapsed_ms + delay_ms;
		await settle();
		for (;;) {
			const next = this.#earliest();
			if (next === undefined || next.due_ms > target_ms) break;
			this.#pending = this.#pending.filter((other) => other !== next);
			this.#elapsed_ms = Math.max(this.#elapsed_ms, next.due_ms);
			next.fn();
			await settle();
		}
		this.#elapsed_ms = target_ms;
	}

	#earliest(): Pending | undefined {
		let earliest: Pending | undefined;
		for (const pending of this.#pending) {
			if (
				earliest === undefined ||
				pending.due_ms < earliest.due_ms ||
				(pending.due_ms === earliest.due_ms && pending.order < earliest.order)
			) {
				earliest = pending;
			}
		}
		return earliest;
	}
}

/** Lets all promise work that needs no timer and no I/O finish. */
export function settle(): Promise<void> {
	return new Promise((resolve) => {
		setImmediate(resolve);
	});
}
