import type { Clock } from "../lib/clock.ts";
import { matchesGlob } from "../lib/glob.ts";

/** Documents fetched a minute, of clients that are not known yet. */
const fetches_max = 30;
const window_ms = 60_000;

/**
 * Whose client-id metadata documents are fetched: whoever comes names an address, so hosts may be
 * limited, and so is how often it happens.
 */
export class ClientDocuments {
	readonly #clock: Clock;
	/** Patterns of host names. */
	readonly #hosts: readonly string[];
	#since_ms = 0;
	#fetches = 0;

	constructor(clock: Clock, hosts: readonly string[]) {
		this.#clock = clock;
		this.#hosts = hosts;
	}

	/** Whether the document at a client id may be fetched now. */
	mayFetch(id: string): boolean {
		const url = URL.parse(id);
		if (url === null || !this.#hosts.some((host) => matchesGlob(host, url.hostname))) return false;
		const now_ms = this.#clock.monotonic();
		if (now_ms - this.#since_ms >= window_ms) {
			this.#since_ms = now_ms;
			this.#fetches = 0;
		}
		this.#fetches += 1;
		return this.#fetches <= fetches_max;
	}
}
