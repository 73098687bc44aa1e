import type { Clock } from "../../lib/clock.ts";

/** How far the wall clock may stray from the steady one between two looks. */
const drift_ms_max = 5 * 60_000;

/** Tells whether the wall clock can be believed: what is thrown away by a wrong one is gone. */
export class ClockWatch {
	readonly #clock: Clock;
	#wall_ms: number;
	#steady_ms: number;

	constructor(clock: Clock) {
		this.#clock = clock;
		this.#wall_ms = clock.now();
		this.#steady_ms = clock.monotonic();
	}

	/** By how much the clock jumped since the last look; 0 where it went on as it should. */
	jumped(): number {
		const [wall_ms, steady_ms] = [this.#clock.now(), this.#clock.monotonic()];
		const strayed_ms = wall_ms - this.#wall_ms - (steady_ms - this.#steady_ms);
		this.#wall_ms = wall_ms;
		this.#steady_ms = steady_ms;
		return Math.abs(strayed_ms) <= drift_ms_max ? 0 : strayed_ms;
	}
}
