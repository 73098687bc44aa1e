import type { HttpSpec } from "../../../config/plan.ts";
import type { Clock } from "../../../lib/clock.ts";
import type { GrantOwner } from "../../../store/grant-repository.ts";
import { MemoryTokenStore, type TokenStore } from "./token-store.ts";
import { UpstreamAuth } from "./upstream-auth.ts";

/** Whose authorization is wanted, and for which server. */
export interface GrantFor extends GrantOwner {
	readonly server: string;
}

/** What authorization with remote servers needs of the rest of the house. */
export interface OAuthSeams {
	readonly clock: Clock;
	/**
	 * Shows an authorization page to whoever may decide; resolves with the address it led back to.
	 */
	readonly authorize: (server: string, page: URL, state: string, who: GrantOwner) => Promise<URL>;
	/** See `UpstreamAuthOptions`; by default nobody who calls is told. */
	readonly namesPage?: (() => boolean) | undefined;
	/** Where authorization pages lead back to. */
	redirectUri(): string;
	readonly store?: TokenStore | undefined;
}

/** Authorizations that are kept at one time; the oldest is dropped, and read anew when wanted. */
const auths_max = 1_024;

/** The gateway itself, where a server is everybody's. */
const gateway_itself: GrantOwner = { tenant: "", user: "" };

/**
 * The authorizations of all servers and people; a connection that is made anew finds its own
 * again, and nobody that of another.
 */
export class UpstreamAuths {
	readonly #seams: OAuthSeams;
	readonly #store: TokenStore;
	readonly #auths = new Map<string, { readonly who: GrantFor; readonly auth: UpstreamAuth }>();
	/** The end of the last turn, by what it is about. */
	readonly #turns = new Map<string, Promise<unknown>>();

	constructor(seams: OAuthSeams) {
		this.#seams = seams;
		this.#store = seams.store ?? new MemoryTokenStore();
	}

	/** The authorization of a person at a server; undefined when it is configured to have none. */
	async of(
		server: string,
		{ url, auth: spec }: HttpSpec,
		{ tenant, user }: GrantOwner = gateway_itself,
	): Promise<UpstreamAuth | undefined> {
		if (spec === undefined) return undefined;
		const { clock, authorize, redirectUri, namesPage } = this.#seams;
		const who = { tenant, user, server };
		// A server with another address or other credentials must not find the old token.
		const key = JSON.stringify([tenant, user, server, url, spec]);
		const auth =
			this.#auths.get(key)?.auth ??
			new UpstreamAuth({
				url,
				spec,
				key: who,
				store: this.#store,
				clock,
				authorize: (page, state) => authorize(server, page, state, { tenant, user }),
				redirectUri,
				namesPage,
				inTurn: (work) => this.inTurn(who, work),
			});
		this.#auths.set(key, { who, auth });
		const [oldest] = this.#auths.keys();
		if (this.#auths.size > auths_max && oldest !== undefined) this.#auths.delete(oldest);
		await auth.load();
		return auth;
	}

	/** What was authorized does not hold any more. The store is told by whoever ends it. */
	forget({ tenant, user, server }: GrantFor): void {
		for (const { who, auth } of this.#auths.values()) {
			if (who.tenant === tenant && who.user === user && who.server === server) auth.forget();
		}
	}

	/** Does something with a grant while nobody else renews it. */
	async inTurn<Value>(
		{ tenant, user, server }: GrantFor,
		work: () => Promise<Value>,
	): Promise<Value> {
		const key = JSON.stringify([tenant, user, server]);
		const before = this.#turns.get(key) ?? Promise.resolve();
		const done = before.then(work);
		const end = done.catch(() => undefined);
		this.#turns.set(key, end);
		try {
			return await done;
		} finally {
			if (this.#turns.get(key) === end) this.#turns.delete(key);
		}
	}
}
