import type { Clock } from "../lib/clock.ts";
import type { Records } from "./records.ts";

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

/** Something that was taken back, as it is kept. */
export interface TakenBack {
	/** What it was. */
	readonly key: string;
	/** Seconds since the epoch. */
	readonly at_s: number;
}

/** Of records: what these are. */
export const taken_back_kind = "TakenBack";

/**
 * What was taken back while access tokens of it are still about. A token says all there is to know
 * about itself, so whoever checks one has to ask here; after ten minutes there is none any more.
 * It is stored, because a token outlives the process that it was taken back in.
 */
export class Revocations {
	readonly #clock: Clock;
	readonly #records: Pick<Records<TakenBack>, "save" | "list">;
	/** When each was taken back, in seconds; the latest is the last of the map. */
	readonly #taken_back = new Map<string, number>();

	constructor(clock: Clock, records: Pick<Records<TakenBack>, "save" | "list">) {
		this.#clock = clock;
		this.#records = records;
	}

	/** Takes up what was taken back before. Rejects where the store cannot be read: fail closed. */
	async restore(): Promise<void> {
		const stored = await this.#records.list(remembered_max);
		const marks = stored.map(({ body }) => body).sort((a, b) => a.at_s - b.at_s);
		for (const { key, at_s } of marks) this.#remember(key, at_s);
	}

	/** Everything that came from a grant, by its hash. It holds at once; resolves once stored. */
	onGrant(hash: string): Promise<void> {
		return this.#note(`grant ${hash}`);
	}

	/** Everything of a person, `tenant/user`, up to now. */
	onAccount(account: string): Promise<void> {
		return this.#note(`account ${account}`);
	}

	/** Everything of a client up to now. */
	onClient(client_id: string): Promise<void> {
		return this.#note(`client ${client_id}`);
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

	#note(key: string): Promise<void> {
		const at_s = Math.floor(this.#clock.now() / 1000);
		this.#remember(key, at_s);
		return this.#records.save(key, { key, at_s }, { ttl_s: remembered_s });
	}

	#remember(key: string, now_s: number): void {
		this.#taken_back.delete(key);
		this.#taken_back.set(key, now_s);
		for (const [old, at_s] of this.#taken_back) {
			if (at_s + remembered_s > now_s && this.#taken_back.size <= remembered_max) break;
			this.#taken_back.delete(old);
		}
	}
}
