import type { Clock } from "../lib/clock.ts";
import { matchesGlob } from "../lib/glob.ts";

/** Documents of clients that are not known yet, fetched a minute: for one address, and for all. */
const each_max = 30;
const all_max = 300;
const window_ms = 60_000;

/**
 * Whose client-id metadata documents are fetched: whoever comes names an address, so hosts may be
 * limited, and so is how often it happens. Nobody takes what is there for everybody.
 */
export class ClientDocuments {
	readonly #clock: Clock;
	/** Patterns of host names. */
	readonly #hosts: readonly string[];
	#since_ms = 0;
	#fetches = 0;
	#by_address = new Map<string, number>();

	constructor(clock: Clock, hosts: readonly string[]) {
		this.#clock = clock;
		this.#hosts = hosts;
	}

	/** Whether the document at a client id may be fetched now, for whoever comes from an address. */
	mayFetch(id: string, address: string): boolean {
		const url = URL.parse(id);
		if (url === null || !this.#hosts.some((host) => matchesGlob(host, url.hostname))) return false;
		const now_ms = this.#clock.monotonic();
		if (now_ms - this.#since_ms >= window_ms) {
			this.#since_ms = now_ms;
			this.#fetches = 0;
			this.#by_address = new Map();
		}
		const theirs = this.#by_address.get(address) ?? 0;
		if (theirs >= each_max || this.#fetches >= all_max) return false;
		this.#by_address.set(address, theirs + 1);
		this.#fetches += 1;
		return true;
	}
}
