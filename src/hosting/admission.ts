import type { Clock, Timer } from "../lib/clock.ts";

/**
 * How long one start may keep others waiting. A cold start is CPU-bound in its first moments;
 * a server that is slower than this waits for something else, and others may go ahead.
 */
export const admission_hold_ms = 2_000;

/** A place among the starts under way. Leaving twice does nothing. */
export interface Pass {
	leave(): void;
}

interface Applicant {
	readonly retry: boolean;
	readonly admit: (pass: Pass | undefined) => void;
}

/**
 * Lets only so many servers start at once, because many cold starts together make every one
 * of them slow. First tries go before repeated ones, and repeated ones never take more than
 * half of the places: a server in a crash loop cannot hold back a healthy one.
 */
export class StartAdmission {
	readonly #clock: Clock;
	readonly #places_max: number;
	readonly #retries_max: number;
	#waiting: Applicant[] = [];
	#places = 0;
	#retries = 0;

	constructor(options: { clock: Clock; places_max: number }) {
		this.#clock = options.clock;
		this.#places_max = Math.max(1, options.places_max);
		this.#retries_max = Math.max(1, Math.floor(this.#places_max / 2));
	}

	/** Starts under way and waiting, for tests and status. */
	get counts(): { readonly under_way: number; readonly waiting: number } {
		return { under_way: this.#places, waiting: this.#waiting.length };
	}

	/** Resolves with a place, or with undefined when the signal aborts before there is one. */
	enter(options: { retry: boolean; signal: AbortSignal }): Promise<Pass | undefined> {
		const { promise, resolve } = Promise.withResolvers<Pass | undefined>();
		if (options.signal.aborted) {
			resolve(undefined);
			return promise;
		}
		const applicant: Applicant = {
			retry: options.retry,
			admit: (pass) => {
				options.signal.removeEventListener("abort", withdraw);
				resolve(pass);
			},
		};
		const withdraw = () => {
			this.#waiting = this.#waiting.filter((other) => other !== applicant);
			resolve(undefined);
		};
		options.signal.addEventListener("abort", withdraw, { once: true });
		this.#waiting.push(applicant);
		this.#admitWaiting();
		return promise;
	}

	#admitWaiting(): void {
		for (;;) {
			if (this.#places >= this.#places_max) return;
			const next =
				this.#waiting.find((applicant) => !applicant.retry) ??
				(this.#retries < this.#retries_max ? this.#waiting[0] : undefined);
			if (next === undefined) return;
			this.#waiting = this.#waiting.filter((other) => other !== next);
			next.admit(this.#take(next.retry));
		}
	}

	#take(retry: boolean): Pass {
		this.#places += 1;
		if (retry) this.#retries += 1;
		let held = true;
		const leave = () => {
			if (!held) return;
			held = false;
			timer.cancel();
			this.#places -= 1;
			if (retry) this.#retries -= 1;
			this.#admitWaiting();
		};
		const timer: Timer = this.#clock.afterIdle(admission_hold_ms, leave);
		return { leave };
	}
}
