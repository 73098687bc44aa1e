import type { HttpSpec } from "../../../config/plan.ts";
import type { Clock } from "../../../lib/clock.ts";
import type { Authorize } from "./token-requests.ts";
import { MemoryTokenStore, type TokenStore } from "./token-store.ts";
import { UpstreamAuth } from "./upstream-auth.ts";

/** What authorization with remote servers needs of the rest of the house. */
export interface OAuthSeams {
	readonly clock: Clock;
	/** Shows an authorization page to the operator. */
	readonly authorize: (server: string, ...args: Parameters<Authorize>) => ReturnType<Authorize>;
	/** Where authorization pages lead back to. */
	redirectUri(): string;
	readonly store?: TokenStore | undefined;
}

/** Servers whose authorization is kept at one time; the oldest is dropped. */
const auths_max = 1_024;

/** The authorizations of all servers; a connection that is made anew finds its own again. */
export class UpstreamAuths {
	readonly #seams: OAuthSeams;
	readonly #store: TokenStore;
	readonly #auths = new Map<string, UpstreamAuth>();

	constructor(seams: OAuthSeams) {
		this.#seams = seams;
		this.#store = seams.store ?? new MemoryTokenStore();
	}

	/** The authorization of a server; undefined when it is configured to have none. */
	async of(server: string, { url, auth: spec }: HttpSpec): Promise<UpstreamAuth | undefined> {
		if (spec === undefined) return undefined;
		const { clock, authorize, redirectUri } = this.#seams;
		// A server with another address or other credentials must not find the old token.
		const key = JSON.stringify([server, url, spec]);
		const auth =
			this.#auths.get(key) ??
			new UpstreamAuth({
				url,
				spec,
				key: JSON.stringify([server, url, spec.client_id ?? null]),
				store: this.#store,
				clock,
				authorize: (page, state) => authorize(server, page, state),
				redirectUri,
			});
		this.#auths.set(key, auth);
		const [oldest] = this.#auths.keys();
		if (this.#auths.size > auths_max && oldest !== undefined) this.#auths.delete(oldest);
		await auth.load();
		return auth;
	}
}
