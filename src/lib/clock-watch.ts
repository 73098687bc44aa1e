import type { Clock } from "./clock.ts";

/** How far the wall clock may stray from the steady one between two looks. */
const drift_ms_max = 5 * 60_000;
/**
 * So long after a jump the clock is believed where it is now: a machine that slept has jumped too,
 * and a clock that is wrong for a moment is set right by then.
 */
const settled_ms = 2 * 3_600_000;

/** Tells whether the wall clock can be believed: what is thrown away by a wrong one is gone. */
export class ClockWatch {
	readonly #clock: Clock;
	#wall_ms: number;
	#steady_ms: number;
	/** How far it is from where it was believed last, and since when. */
	#strayed_ms = 0;
	#strayed_at_ms = 0;

	constructor(clock: Clock) {
		this.#clock = clock;
		this.#wall_ms = clock.now();
		this.#steady_ms = clock.monotonic();
	}

	/**
	 * By how much the clock has jumped; 0 where it can be believed, because it went on as it should,
	 * has jumped back, or has kept to where it is for two hours.
	 */
	jumped(): number {
		const [wall_ms, steady_ms] = [this.#clock.now(), this.#clock.monotonic()];
		const strayed_ms = wall_ms - this.#wall_ms - (steady_ms - this.#steady_ms);
		this.#wall_ms = wall_ms;
		this.#steady_ms = steady_ms;
		if (Math.abs(strayed_ms) > drift_ms_max) {
			this.#strayed_ms += strayed_ms;
			this.#strayed_at_ms = steady_ms;
		} else if (steady_ms - this.#strayed_at_ms >= settled_ms) this.#strayed_ms = 0;
		return Math.abs(this.#strayed_ms) <= drift_ms_max ? 0 : this.#strayed_ms;
	}
}
