import { type Clock, withinTime } from "../../../lib/clock.ts";
import { OAuthProblem } from "./oauth-problem.ts";

/** How long what has begun may take: a guarded request takes no longer, and then it is written. */
const finish_ms_max = 20_000;

/**
 * Token requests whose answer must not be lost: many refresh tokens and all codes are good once,
 * so that from the request until the answer is written a stop would cost somebody their
 * authorization. Once closed none begins any more.
 */
export class Unfinished {
	#running = 0;
	#is_closed = false;
	readonly #all_ended = Promise.withResolvers<void>();

	/** Says that one begins; what is returned is to be called once, when its answer is written. */
	begin(): () => void {
		if (this.#is_closed) {
			throw new OAuthProblem("Moorage is stopping. Make the call again once it runs.");
		}
		this.#running += 1;
		return () => {
			this.#running -= 1;
			if (this.#is_closed && this.#running === 0) this.#all_ended.resolve();
		};
	}

	/** How many have begun and are not over. */
	get running(): number {
		return this.#running;
	}

	/** Lets none begin any more, and resolves when those that have are over, in bounded time. */
	async close(clock: Clock): Promise<void> {
		this.#is_closed = true;
		if (this.#running === 0) return;
		await withinTime(clock, finish_ms_max, this.#all_ended.promise);
	}
}
