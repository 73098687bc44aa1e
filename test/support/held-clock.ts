import type { Clock } from "../../src/lib/clock.ts";
import { systemClock } from "../../src/lib/clock.ts";

/**
 * The machine's clock, of which a test can hold every timer back: whatever happens meanwhile waits
 * for none.
 */
export class HeldClock implements Clock {
	/** Timers that came due while all are held. */
	#due: Set<() => void> | undefined;

	now(): number {
		return systemClock.now();
	}

	monotonic(): number {
		return systemClock.monotonic();
	}

	after(delay_ms: number, fn: () => void) {
		return this.#timer("after", delay_ms, fn);
	}

	afterIdle(delay_ms: number, fn: () => void) {
		return this.#timer("afterIdle", delay_ms, fn);
	}

	/** From now on no timer fires. */
	hold(): void {
		this.#due ??= new Set();
	}

	/** Timers fire again, first those that came due. */
	release(): void {
		const due = this.#due;
		this.#due = undefined;
		for (const fn of due ?? []) fn();
	}

	#timer(kind: "after" | "afterIdle", delay_ms: number, fn: () => void) {
		const fire = () => {
			if (this.#due === undefined) fn();
			else this.#due.add(fire);
		};
		const timer = systemClock[kind](delay_ms, fire);
		return {
			cancel: () => {
				timer.cancel();
				this.#due?.delete(fire);
			},
		};
	}
}
