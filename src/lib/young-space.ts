import { setFlagsFromString } from "node:v8";
import type { Clock, Timer } from "./clock.ts";

/**
 * So many calls are counted together; where they come faster than this there is a load. Clients
 * that all come back at once, say after a restart, are none.
 */
const load_calls = 5_000;
const load_ms = 5_000;
/** So long after the last load it is over. */
const rest_ms = 60_000;

/** Whether V8's space for young objects may grow, up to what the process was started with. */
export type SetYoungGrowth = (may_grow: boolean) => void;

/**
 * Of this process and all its threads. V8 reads the flag whenever it thinks of growing that space:
 * a factor of one keeps it as large as it is. On the command line it takes no factor below two.
 */
export const setYoungGrowth: SetYoungGrowth = (may_grow) =>
	setFlagsFromString(`--semi-space-growth-factor=${may_grow ? 2 : 1}`);

/**
 * Lets the space for young objects grow under load only. What is loaded at the start lives long,
 * which V8 takes for a reason to have more of it; held back until then, the gateway at rest takes
 * megabytes less. Under load every collection copies what is in flight, and the larger the space,
 * the fewer there are: up to a tenth of a call's CPU time. Where it may not grow any more, V8 makes
 * it small again when it next goes through the whole heap.
 */
export class YoungSpace {
	readonly #clock: Clock;
	readonly #set: SetYoungGrowth;
	#calls = 0;
	#counted_at_ms: number;
	#load_at_ms = 0;
	#resting: Timer | undefined;

	constructor(clock: Clock, set: SetYoungGrowth = setYoungGrowth) {
		this.#clock = clock;
		this.#set = set;
		this.#counted_at_ms = clock.monotonic();
		set(false);
	}

	/** A call was made. */
	count(): void {
		this.#calls += 1;
		// The clock is read once for all of them.
		if (this.#calls < load_calls) return;
		this.#calls = 0;
		const now_ms = this.#clock.monotonic();
		const took_ms = now_ms - this.#counted_at_ms;
		this.#counted_at_ms = now_ms;
		if (took_ms > load_ms) return;
		this.#load_at_ms = now_ms;
		if (this.#resting !== undefined) return;
		this.#set(true);
		this.#restLater(rest_ms);
	}

	/** Nothing is counted any more. */
	stop(): void {
		this.#resting?.cancel();
	}

	#restLater(delay_ms: number): void {
		this.#resting = this.#clock.afterIdle(delay_ms, () => {
			const left_ms = this.#load_at_ms + rest_ms - this.#clock.monotonic();
			if (left_ms > 0) return this.#restLater(left_ms);
			this.#resting = undefined;
			this.#set(false);
		});
	}
}
