import type { HttpSpec, OAuthSpec } from "../../../config/plan.ts";
import type { Clock } from "../../../lib/clock.ts";
import type { Random } from "../../../lib/random.ts";
import type { GrantOwner } from "../../../store/grant-repository.ts";
import type { AfterRefusal, PersonPage } from "./attempt.ts";
import { fixedIdentity, type IdentitySource } from "./exchange.ts";
import { FoundServers } from "./found-servers.ts";
import { IssuerLanes } from "./issuer-lanes.ts";
import type { EndedGrant } from "./revoke.ts";
import { MemoryTokenStore, type TokenStore } from "./token-store.ts";
import { Unfinished } from "./unfinished.ts";
import { type TokenRequest, UpstreamAuth } from "./upstream-auth.ts";

/** Whose authorization is wanted, and for which server. */
export interface GrantFor extends GrantOwner {
	readonly server: string;
}

/** What authorization with remote servers needs of the rest of the house. */
export interface OAuthSeams {
	readonly clock: Clock;
	/**
	 * Shows an authorization page to whoever may decide; resolves with the address it led back to,
	 * and rejects once `signal` aborts. `outcome` is what comes of the whole; it never rejects.
	 */
	readonly authorize: (
		server: string,
		page: URL,
		state: string,
		who: GrantOwner,
		signal: AbortSignal,
		outcome: Promise<AfterRefusal>,
	) => Promise<URL>;
	/** See `UpstreamAuthOptions`; by default nobody who calls is told. */
	readonly pageFor?: ((page: URL, who: GrantFor) => PersonPage | undefined) | undefined;
	/** What a provider says of somebody, where their identity is exchanged; by default of nobody. */
	readonly identityOf?:
		| ((who: GrantFor, provider: string | undefined) => IdentitySource)
		| undefined;
	/** Where somebody signs in for that. */
	readonly signInPage?: ((who: GrantFor) => string | undefined) | undefined;
	/** Told of every token that came after its authorization had ended; its issuer is to hear so. */
	readonly onLate?: ((ended: EndedGrant) => void) | undefined;
	/** Told of everybody who has agreed. */
	readonly onGranted?: (who: GrantFor) => void;
	/** See `UpstreamAuthOptions`. */
	redirectUri(issuer: string | undefined): string;
	/** Told of every token that was asked for. */
	readonly onTokenRequest?: (server: string, request: TokenRequest) => void;
	readonly store?: TokenStore | undefined;
	/** See `UpstreamAuthOptions`. */
	readonly random?: Pick<Random, "fraction"> | undefined;
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
	/** Those that were dropped, as long as somebody has them. */
	readonly #dropped = new Set<{ readonly who: GrantFor; readonly auth: WeakRef<UpstreamAuth> }>();
	/** The end of the last turn, by what it is about. */
	readonly #turns = new Map<string, Promise<unknown>>();
	readonly #lanes = new IssuerLanes();
	readonly #found: FoundServers;
	readonly #unfinished = new Unfinished();

	constructor(seams: OAuthSeams) {
		this.#seams = seams;
		this.#found = new FoundServers(seams.clock);
		this.#store = seams.store ?? new MemoryTokenStore();
	}

	/** The authorization of a person at a server; undefined when it is configured to have none. */
	async of(
		server: string,
		{ url, auth: spec }: Pick<HttpSpec, "url" | "auth">,
		{ tenant, user }: GrantOwner = gateway_itself,
	): Promise<UpstreamAuth | undefined> {
		if (spec === undefined) return undefined;
		const { clock, random, authorize, redirectUri, pageFor, onGranted, onTokenRequest } =
			this.#seams;
		const { identityOf, signInPage, onLate } = this.#seams;
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
				random,
				lanes: this.#lanes,
				found: this.#found,
				authorize: (page, state, ...rest) =>
					authorize(server, page, state, { tenant, user }, ...rest),
				redirectUri,
				pageFor: (page) => pageFor?.(page, who),
				identity: spec.subject ? fixedIdentity(spec.subject) : identityOf?.(who, spec.provider),
				signInPage: () => signInPage?.(who),
				onLate: (grant) => onLate?.({ server, grant, spec }),
				onGranted: () => onGranted?.(who),
				onTokenRequest: (request) => onTokenRequest?.(server, request),
				inTurn: (work) => this.inTurn(who, work),
				begin: () => this.#unfinished.begin(),
			});
		// The one that is used now is the last.
		this.#auths.delete(key);
		this.#auths.set(key, { who, auth });
		const [oldest] = this.#auths.keys();
		if (this.#auths.size > auths_max && oldest !== undefined) this.#drop(oldest);
		await auth.load();
		return auth;
	}

	/**
	 * What was authorized does not hold any more, nor what is being asked for. The store is told by
	 * whoever ends it. True where there was something.
	 */
	forget({ tenant, user, server }: GrantFor): boolean {
		const theirs = this.#allOf({ tenant, user }).filter(({ who }) => who.server === server);
		return theirs.filter(({ auth }) => auth.forget()).length > 0;
	}

	/** Withdraws what somebody is asked for in the name of another client than this. */
	withdrawOthers({ server, ...owner }: GrantFor, client_id: string | undefined): void {
		for (const { who, auth } of this.#allOf(owner)) {
			if (who.server === server && auth.spec.client_id !== client_id) auth.withdraw();
		}
	}

	/** Who we were when a grant was given, where that is still known. */
	specOf({ server, ...owner }: GrantFor, about: string): OAuthSpec | undefined {
		const theirs = this.#allOf(owner).filter(({ who }) => who.server === server);
		return theirs.find(({ auth }) => auth.about === about)?.auth.spec;
	}

	/** The servers at which somebody has an authorization, or may be asked for one now. */
	serversOf(owner: GrantOwner): string[] {
		return this.#allOf(owner).map(({ who }) => who.server);
	}

	/**
	 * Asks somebody for their authorization at a server to which there is a connection already.
	 * Undefined where there is none.
	 */
	connect(who: GrantFor): Promise<AfterRefusal> | undefined {
		return this.#latestOf(who)?.connect();
	}

	#latestOf({ server, ...owner }: GrantFor): UpstreamAuth | undefined {
		const theirs = this.#allOf(owner).filter(({ who }) => who.server === server);
		return (theirs.find(({ auth }) => auth.is_under_way) ?? theirs.at(-1))?.auth;
	}

	#allOf({ tenant, user }: GrantOwner): { who: GrantFor; auth: UpstreamAuth }[] {
		const dropped = [...this.#dropped].flatMap(({ who, auth }) => {
			const alive = auth.deref();
			return alive === undefined ? [] : [{ who, auth: alive }];
		});
		return [...this.#auths.values(), ...dropped].filter(
			({ who }) => who.tenant === tenant && who.user === user,
		);
	}

	/** Connections that are open go on with it, so it is still to be found by whoever ends it. */
	#drop(key: string): void {
		const dropped = this.#auths.get(key);
		this.#auths.delete(key);
		if (dropped === undefined) return;
		this.#dropped.add({ who: dropped.who, auth: new WeakRef(dropped.auth) });
		if (this.#dropped.size < 2 * auths_max) return;
		for (const one of this.#dropped) if (one.auth.deref() === undefined) this.#dropped.delete(one);
	}

	/** How many tokens are on their way. */
	get coming(): number {
		return this.#unfinished.running;
	}

	/**
	 * Asks for no token any more, and waits for those that are on their way until they are kept, in
	 * bounded time. Their store is closed after this.
	 */
	close(): Promise<void> {
		return this.#unfinished.close(this.#seams.clock);
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
