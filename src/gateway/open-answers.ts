import type { ServerResponse } from "node:http";
import type { Clock } from "../lib/clock.ts";

/** The responses that are not yet with their clients: what a graceful end still waits for. */
export class OpenAnswers {
	readonly #open = new Set<ServerResponse>();
	#empty: (() => void) | undefined;

	/** Responses that are being written, or wait to be. */
	get count(): number {
		return this.#open.size;
	}

	/** Counts a response until its last byte is handed over, or its client is gone. */
	add(response: ServerResponse): void {
		this.#open.add(response);
		response.once("close", () => {
			this.#open.delete(response);
			if (this.#open.size === 0) this.#empty?.();
		});
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
