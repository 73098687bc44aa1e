import type { AuthorizationServer } from "oauth4webapi";
import type { Clock } from "../../../lib/clock.ts";
import type { GuardedFetch } from "../../../lib/guarded-fetch.ts";
import { type Discovered, type DiscoverOptions, discover, serverMetadata } from "./discovery.ts";

/** How long what was found is used for renewals. */
const keep_ms = 60_000;
/** Servers that are remembered. */
const found_max = 256;

/** How long what an identity provider publishes is used; servers cannot name another one. */
const provider_keep_ms = 5 * 60_000;

interface Found<Value> {
	readonly until_ms: number;
	readonly value: Promise<Value>;
}

/**
 * Authorization servers that were found a moment ago: thousands of people's tokens at one server
 * are renewed with one look at its metadata. What could not be found is not remembered. Whoever
 * was refused looks for themselves, because the server may name another by then.
 */
export class FoundServers {
	readonly #clock: Pick<Clock, "monotonic">;
	readonly #found = new Map<string, Found<Discovered>>();
	readonly #providers = new Map<string, Found<AuthorizationServer | undefined>>();

	constructor(clock: Pick<Clock, "monotonic">) {
		this.#clock = clock;
	}

	/** As `discover`. */
	discover(options: DiscoverOptions): Promise<Discovered> {
		const { url, challenge, preferred, service } = options;
		const key = JSON.stringify([url, challenge.resource_metadata, preferred, service]);
		return this.#once(this.#found, key, keep_ms, () => discover(options));
	}

	/** What an identity provider publishes of itself, as `serverMetadata`. */
	provider(issuer: string, fetch: GuardedFetch): Promise<AuthorizationServer | undefined> {
		return this.#once(this.#providers, issuer, provider_keep_ms, () =>
			serverMetadata(issuer, fetch),
		);
	}

	#once<Value>(
		known: Map<string, Found<Value>>,
		key: string,
		life_ms: number,
		look: () => Promise<Value>,
	): Promise<Value> {
		const now_ms = this.#clock.monotonic();
		const before = known.get(key);
		if (before !== undefined && now_ms < before.until_ms) return before.value;
		const found = { until_ms: now_ms + life_ms, value: look() };
		known.delete(key);
		known.set(key, found);
		const [oldest] = known.keys();
		if (known.size > found_max && oldest !== undefined) known.delete(oldest);
		const forget = () => void (known.get(key) === found && known.delete(key));
		found.value.then((value) => value === undefined && forget(), forget);
		return found.value;
	}
}
