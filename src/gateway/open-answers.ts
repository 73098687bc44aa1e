import type { ServerResponse } from "node:http";
import type { Principal } from "../identity/principal.ts";
import { Bag } from "../lib/bag.ts";
import type { Clock } from "../lib/clock.ts";

/** A response that is not yet with its client. */
export interface OpenAnswer {
	readonly response: ServerResponse;
	/** Whom it is for, once that is known. */
	who: Principal | undefined;
}

/** The responses that are not yet with their clients: what a graceful end still waits for. */
export class OpenAnswers {
	readonly #open = new Bag<OpenAnswer>();
	#empty: (() => void) | undefined;

	/** Responses that are being written, or wait to be. */
	get count(): number {
		return this.#open.size;
	}

	/** Counts a response until its last byte is handed over, or its client is gone. */
	add(response: ServerResponse): OpenAnswer {
		const answer: OpenAnswer = { response, who: undefined };
		const place = this.#open.add(answer);
		// It closes once, and a listener for once costs more.
		response.on("close", () => {
			this.#open.remove(place, answer);
			if (this.#open.size === 0) this.#empty?.();
		});
		return answer;
	}

	/** What is open now for some people. */
	openFor(isAbout: (who: Principal) => boolean): readonly ServerResponse[] {
		return this.#open
			.all()
			.flatMap(({ response, who }) => (who !== undefined && isAbout(who) ? response : []));
	}

	/** Resolves when all are over, or at the deadline. */
	sent(deadline_ms: number, clock: Clock): Promise<void> {
		if (this.#open.size === 0) return Promise.resolve();
		return new Promise((resolve) => {
			const timer = clock.after(deadline_ms, resolve);
			this.#empty = () => {
				timer.cancel();
				resolve();
			};
		});
	}
}
