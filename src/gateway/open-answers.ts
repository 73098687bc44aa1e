import type { ServerResponse } from "node:http";
import type { Principal } from "../identity/principal.ts";
import type { Clock } from "../lib/clock.ts";

/** The responses that are not yet with their clients: what a graceful end still waits for. */
export class OpenAnswers {
	/** With whom each is for, where that is known. */
	readonly #open = new Map<ServerResponse, Principal | undefined>();
	#empty: (() => void) | undefined;

	/** Responses that are being written, or wait to be. */
	get count(): number {
		return this.#open.size;
	}

	/** Counts a response until its last byte is handed over, or its client is gone. */
	add(response: ServerResponse): void {
		this.#open.set(response, undefined);
		response.once("close", () => {
			this.#open.delete(response);
			if (this.#open.size === 0) this.#empty?.();
		});
	}

	/** It is known whom a response is for. */
	isFor(response: ServerResponse, who: Principal): void {
		if (this.#open.has(response)) this.#open.set(response, who);
	}

	/** What is open now for some people. */
	openFor(isAbout: (who: Principal) => boolean): readonly ServerResponse[] {
		return [...this.#open].flatMap(([response, who]) =>
			who !== undefined && isAbout(who) ? response : [],
		);
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
