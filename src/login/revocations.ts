import type { Clock } from "../lib/clock.ts";

/** Tokens live ten minutes; clocks may differ by some. */
const remembered_s = 11 * 60;
const remembered_max = 100_000;

/** What of a token says where it came from. */
export interface TokenOrigin {
	readonly grant: unknown;
	readonly sub: unknown;
	readonly client_id: unknown;
	/** Seconds since the epoch. */
	readonly iat: unknown;
}

/**
 * What was taken back while access tokens of it are still about. A token says all there is to know
 * about itself, so whoever checks one has to ask here; after ten minutes there is none any more.
 */
export class Revocations {
	readonly #clock: Clock;
	/** When each was taken back, in seconds; the latest is the last of the map. */
	readonly #taken_back = new Map<string, number>();

	constructor(clock: Clock) {
		this.#clock = clock;
	}

	/** Everything that came from a grant, by its hash. */
	onGrant(hash: string): void {
		this.#note(`grant ${hash}`);
	}

	/** Everything of a person, `tenant/user`, up to now. */
	onAccount(account: string): void {
		this.#note(`account ${account}`);
	}

	/** Everything of a client up to now. */
	onClient(client_id: string): void {
		this.#note(`client ${client_id}`);
	}

	/** Whether what a token came from was taken back after it was made. */
	covers({ grant, sub, client_id, iat }: TokenOrigin): boolean {
		if (this.#taken_back.size === 0) return false;
		if (this.#taken_back.has(`grant ${String(grant)}`)) return true;
		const made_s = typeof iat === "number" ? iat : 0;
		return [`account ${String(sub)}`, `client ${String(client_id)}`].some(
			(key) => made_s <= (this.#taken_back.get(key) ?? Number.NEGATIVE_INFINITY),
		);
	}

	#note(key: string): void {
		const now_s = Math.floor(this.#clock.now() / 1000);
		this.#taken_back.delete(key);
		this.#taken_back.set(key, now_s);
		for (const [old, at_s] of this.#taken_back) {
			if (at_s + remembered_s > now_s && this.#taken_back.size <= remembered_max) break;
			this.#taken_back.delete(old);
		}
	}
}
