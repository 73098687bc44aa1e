import type { Client, TokenEndpointResponse } from "oauth4webapi";
import { isExchange } from "../../../config/exchange-form.ts";
import type { OAuthGrant, OAuthSpec } from "../../../config/plan.ts";
import { type GuardedFetch, guardedFetch } from "../../../lib/guarded-fetch.ts";
import type { Random } from "../../../lib/random.ts";
import { fail, succeed } from "../../../lib/result.ts";
import type { AuthProblem } from "../../faults.ts";
import type { Headers } from "../remote.ts";
import { aboutOf, digest } from "./about.ts";
import { type AfterRefusal, Attempt, type AttemptOptions, withdrawn } from "./attempt.ts";
import { type BearerChallenge, readChallenge } from "./challenge.ts";
import { clientAuth } from "./client-auth.ts";
import { type Discovered, discover } from "./discovery.ts";
import { IdentityExchange, type IdentitySource, SignInRequired } from "./exchange.ts";
import type { FoundServers } from "./found-servers.ts";
import { givenGrant } from "./given-grant.ts";
import type { IssuerLanes } from "./issuer-lanes.ts";
import { OAuthProblem, originOf } from "./oauth-problem.ts";
import { register } from "./register.ts";
import { selectScopes } from "./scopes.ts";
import { codeGrant, credentialsGrant, refreshGrant, type TokenContext } from "./token-requests.ts";
import type { Grant, GrantKey, Registration, TokenStore } from "./token-store.ts";

/** How long after a renewal ahead that failed another is tried, as long as calls come. */
const renew_again_ms = 15_000;
/** Authorizations that one call may cause: a first one, and steps up. */
const rounds_max = 3;

/** One time that a token was asked for at an authorization server. */
export interface TokenRequest {
	readonly grant: "refresh_token" | OAuthGrant;
	/**
	 * `refused`: what was shown for it is not, or no longer, good. `failed`: there was no valid
	 * answer, or the person did not agree.
	 */
	readonly outcome: "issued" | "refused" | "failed";
}

/** What the authorization for one server is made of. */
export interface UpstreamAuthOptions extends AttemptOptions {
	readonly url: string;
	readonly spec: OAuthSpec;
	/** Whose it is; `about` is known by the authorization itself. */
	readonly key: Omit<GrantKey, "about">;
	readonly store: TokenStore;
	/** Whoever else renews the same grant waits meanwhile, and finds the new one. */
	inTurn<Value>(work: () => Promise<Value>): Promise<Value>;
	/**
	 * Told of every token request whose answer must not be lost; what it returns is called once that
	 * is written. Throws where none is to be made any more.
	 */
	readonly begin?: (() => () => void) | undefined;
	/** By how much tokens are renewed sooner; without it at the same time before their end. */
	readonly random?: Pick<Random, "fraction"> | undefined;
	/** Keeps renewals at one issuer few at a time; without it each goes at once. */
	readonly lanes?: IssuerLanes | undefined;
	/** What is known of servers that others renew at as well. */
	readonly found?: Pick<FoundServers, "discover" | "provider"> | undefined;
	/** Whose identity is exchanged, where the grant is such a one. */
	readonly identity?: IdentitySource | undefined;
	/** Where whoever calls signs in for that. */
	readonly signInPage?: (() => string | undefined) | undefined;
	/** Told of a token that came after what it is for had been withdrawn: it is not kept. */
	readonly onLate?: ((grant: Grant) => void) | undefined;
	/** Told once a person has agreed, and their token is kept. */
	readonly onGranted?: (() => void) | undefined;
	/**
	 * Where the authorization page leads back to: the address of one issuer alone, or with undefined
	 * the one that is registered by hand.
	 */
	redirectUri(issuer: string | undefined): string;
	/** Told of every token that was asked for. */
	readonly onTokenRequest?: ((request: TokenRequest) => void) | undefined;
}

/** A refusal, as the driver saw it. */
export interface RefusedCall {
	readonly status: number;
	readonly headers: Headers;
	/** The token that was refused. */
	readonly token: string | undefined;
	/** How often this call has been repeated with another token. */
	readonly rounds: number;
}

/** Why another token is wanted: how it may be got depends on it. */
type Occasion =
	| "refused" // what we have is not accepted
	| "step_up" // it is, but not for this
	| "ahead"; // it soon will not be; nobody is to be asked for that

/**
 * Our authorization to use one server. Refusals drive it: it asks for a token when one is
 * wanted, for a new one when the old is not accepted, and for more scopes when they do not
 * suffice. However many calls are refused at once, one authorization is under way at a time; a step
 * up, for which nobody may come, is one beside it, and keeps no other call from a new token.
 */
export class UpstreamAuth {
	readonly #options: UpstreamAuthOptions;
	readonly #fetch: GuardedFetch;
	readonly #exchange: IdentityExchange;
	readonly #key: GrantKey;
	/** Names the servers that use our registration. */
	readonly #used_by: string;
	#grant: Grant | undefined;
	#loading: Promise<void> | undefined;
	/** Whether the last grant was taken back, or has run out. */
	#has_ended = false;
	#under_way: Attempt | undefined;
	/** One for more scopes: what there is goes on to be used and renewed meanwhile. */
	#step_up: Attempt | undefined;
	/** The renewal of a token that is still good. */
	#ahead: Attempt | undefined;
	/** The token that could not be renewed ahead of its end, and when that is tried once more. */
	#unrenewed: { readonly token: string; readonly again_ms: number } | undefined;
	/** The last challenge that led to a token: it may name what is found nowhere else. */
	#challenge: BearerChallenge = readChallenge(undefined);

	constructor(options: UpstreamAuthOptions) {
		this.#options = options;
		const { url, spec, key } = options;
		const about = aboutOf(url, spec);
		this.#key = { ...key, about };
		this.#used_by = spec.client_id === undefined ? "" : digest([key.server, about]);
		this.#exchange = new IdentityExchange(options);
		this.#fetch = guardedFetch({ near: options.url, clock: options.clock });
	}

	/** Reads what the store has; before this there are no headers. */
	load(): Promise<void> {
		this.#loading ??= this.#read().catch((error: unknown) => {
			this.#loading = undefined;
			throw error;
		});
		return this.#loading;
	}

	/** What a grant in the store is about, for this authorization to find it. */
	get about(): string {
		return this.#key.about;
	}

	get token(): string | undefined {
		return this.#grant?.access_token;
	}

	/**
	 * What was authorized does not hold any more, and neither does what is being asked for: a page
	 * that waits is withdrawn, and a token that is on its way is not kept. The next call asks anew.
	 * True where there was something of either kind.
	 */
	forget(): boolean {
		const had = this.#grant !== undefined || this.is_under_way;
		this.#forgetGrant();
		this.withdraw();
		return had;
	}

	/** What is being asked for is not wanted any more; what there is stays. */
	withdraw(): void {
		for (const attempt of [this.#under_way, this.#step_up, this.#ahead]) attempt?.withdraw();
		this.#under_way = undefined;
		this.#step_up = undefined;
	}

	/** Whether somebody waits for an authorization now. */
	get is_under_way(): boolean {
		return this.#under_way !== undefined || this.#step_up !== undefined;
	}

	/** Who the configuration says that we are. */
	get spec(): OAuthSpec {
		return this.#options.spec;
	}

	#forgetGrant(): void {
		this.#grant = undefined;
		this.#has_ended = true;
	}

	/**
	 * Names and values in turn, for a request that goes out now. A token that ends soon is renewed
	 * meanwhile: calls go on with it, and find the new one once it is there.
	 */
	headers(): string[] {
		const { token } = this;
		this.#renewAhead();
		return token === undefined ? [] : ["authorization", `Bearer ${token}`];
	}

	/** Decides what becomes of a call that was refused with HTTP 401 or 403. */
	async onRefused(call: RefusedCall): Promise<AfterRefusal> {
		const challenge = readChallenge(call.headers["www-authenticate"]);
		const is_step_up = call.status === 403;
		await this.#ahead?.outcome;
		if (is_step_up && challenge.error !== "insufficient_scope") return succeed("pass");
		// Another call has got a new token meanwhile.
		if (call.token !== this.token && call.rounds < rounds_max) return succeed("retry");
		if (call.rounds >= rounds_max) {
			return fail(
				failed("It goes on refusing although it was authorized. Check what you may do there."),
			);
		}
		if (is_step_up && !this.#addsScopes(challenge)) {
			return fail(
				failed(
					"It wants scopes that were asked for and not granted. Ask whoever runs it for them, " +
						"then restart Moorage to authorize anew.",
				),
			);
		}
		const occasion = is_step_up ? "step_up" : "refused";
		const why = () =>
			this.#has_ended ? "The authorization for it was taken back or has run out. " : "";
		return this.#obtainOnce(challenge, occasion).atMost(why);
	}

	/** One authorization at a time: whoever comes meanwhile waits for the same. */
	#obtainOnce(challenge: BearerChallenge, occasion: "refused" | "step_up"): Attempt {
		if (this.#under_way !== undefined) return this.#under_way;
		if (occasion === "step_up" && this.#step_up !== undefined) return this.#step_up;
		const attempt = this.#begin(challenge, occasion);
		if (occasion === "step_up") this.#step_up = attempt;
		else this.#under_way = attempt;
		void attempt.outcome.then(() => {
			if (this.#step_up === attempt) this.#step_up = undefined;
			if (this.#under_way === attempt) this.#under_way = undefined;
		});
		return attempt;
	}

	/** Whether a person decides on a page each time. */
	get #asks_person(): boolean {
		return this.#options.spec.grant === "authorization_code";
	}

	#addsScopes(challenge: BearerChallenge): boolean {
		const before = this.#grant?.scopes ?? [];
		return challenge.scopes.some((scope) => !before.includes(scope));
	}

	/**
	 * Asks a person though no call was refused: they want to agree before they call. Resolves with
	 * what came of it; a page that waits already is that of this one, too.
	 */
	async connect(): Promise<AfterRefusal> {
		await this.#ahead?.outcome;
		return this.#obtainOnce(this.#challenge, "refused").outcome;
	}

	#begin(challenge: BearerChallenge, occasion: Occasion): Attempt {
		return new Attempt(this.#options, async (attempt) => {
			try {
				await this.load();
				const outcome = await this.#renew(challenge, occasion, attempt);
				if (outcome.ok) this.#challenge = challenge;
				return outcome;
			} catch (error) {
				if (error instanceof SignInRequired) return fail(this.#signInFirst());
				if (error instanceof OAuthProblem) return fail(failed(error.message));
				return fail(
					failed("Authorization with it failed. Check its address, and try again later."),
				);
			}
		});
	}

	#signInFirst(): AuthProblem {
		const page = this.#options.signInPage?.();
		const where = page === undefined ? "" : `: open ${page}`;
		const advice = `It is used with who you are at your identity provider. Sign in there${where}, then try again.`;
		return { code: "authorization_required", advice };
	}

	#renewAhead(): void {
		const grant = this.#grant;
		const { clock } = this.#options;
		if (grant?.renew_at_ms === undefined || clock.now() < grant.renew_at_ms) return;
		const { access_token, refresh_token } = grant;
		const by_itself = refresh_token !== undefined || !this.#asks_person;
		const failed_before = this.#unrenewed?.token === access_token ? this.#unrenewed : undefined;
		if (!by_itself || clock.monotonic() < (failed_before?.again_ms ?? 0)) return;
		void this.#goAhead();
	}

	/**
	 * Renews what is kept though no call needs it: a refresh token may end when it rests for long.
	 * Nobody is asked, and what fails is left as it is.
	 */
	async renewUnused(): Promise<void> {
		if (this.#grant?.refresh_token !== undefined) await this.#goAhead();
	}

	async #goAhead(): Promise<void> {
		if (this.#ahead !== undefined || this.#under_way !== undefined) return;
		const { token } = this;
		const { clock } = this.#options;
		const attempt = this.#begin(this.#challenge, "ahead");
		this.#ahead = attempt;
		await attempt.outcome;
		this.#ahead = undefined;
		const is_unrenewed = token !== undefined && this.token === token;
		const again_ms = clock.monotonic() + renew_again_ms;
		this.#unrenewed = is_unrenewed ? { token, again_ms } : undefined;
	}

	async #read(): Promise<void> {
		const { store, spec } = this.#options;
		const kept = await store.grants(this.#key);
		this.#grant = kept.find(({ issuer }) => issuer === spec.issuer) ?? kept[0];
	}

	async #renew(
		challenge: BearerChallenge,
		occasion: Occasion,
		attempt: Attempt,
	): Promise<AfterRefusal> {
		const { url, spec } = this.#options;
		const before = this.#grant;
		const preferred = [spec.issuer, before?.issuer].filter((issuer) => issuer !== undefined);
		const { service } = spec;
		const wanted = { url, challenge, fetch: this.#fetch, preferred, service };
		const issuer = before?.issuer ?? new URL(url).origin;
		const { found, is_renewed } = await this.#inLane(issuer, occasion, async () => {
			const look = occasion === "ahead" ? this.#options.found : undefined;
			const server = await (look === undefined ? discover(wanted) : look.discover(wanted));
			if (occasion === "step_up") return { found: server, is_renewed: false };
			const turn = () => this.#refresh(server, before, occasion);
			return { found: server, is_renewed: await this.#options.inTurn(turn) };
		});
		if (is_renewed || (occasion === "ahead" && this.#asks_person)) return succeed("retry");
		attempt.check();
		// Its page asks for all that there was and for more: one page is enough for a person.
		const waits = occasion === "refused" && this.#asks_person ? this.#step_up : undefined;
		if (waits !== undefined) return attempt.follow(waits);
		const registration = await this.#register(found);
		const context = await this.#context(found, registration, challenge, before);
		let ended: (() => void) | undefined;
		const begin = () => {
			ended = this.#options.begin?.();
		};
		try {
			await this.#telling(spec.grant, async () => {
				const back = registration.redirect_uri;
				const answer = await this.#askFor(context, attempt, occasion, begin, back);
				await this.#options.inTurn(async () => {
					const grant = this.#grantOf(found, context.scopes, answer, registration);
					if (attempt.signal.aborted) {
						this.#options.onLate?.(grant);
						throw withdrawn();
					}
					await this.#keep(grant);
				});
				return "issued";
			});
			if (this.#asks_person) this.#options.onGranted?.();
			return succeed("retry");
		} catch (error) {
			await this.#forgetUnknown(error, found.server.issuer, registration);
			throw error;
		} finally {
			ended?.();
		}
	}

	async #askFor(
		context: TokenContext,
		attempt: Attempt,
		occasion: Occasion,
		begin: () => void,
		back: string | undefined,
	): Promise<TokenEndpointResponse> {
		const { spec } = this.#options;
		if (!this.#asks_person) begin();
		if (spec.grant === "client_credentials") return credentialsGrant(context);
		if (isExchange(spec.grant)) {
			const answer = await this.#exchange.grant(context, spec.grant, (issuer, work) =>
				this.#inLane(issuer, occasion, work),
			);
			// The identity is what it hangs on: it is shown again each time.
			const { refresh_token: _, ...token } = answer;
			return token;
		}
		const ask = async (page: URL, state: string) => {
			const callback = await attempt.ask(page, state);
			begin();
			return callback;
		};
		return codeGrant(context, back ?? this.#options.redirectUri(undefined), ask);
	}

	/** What asks nobody is done a few at a time; who has the lock of a grant waits for no room. */
	#inLane<Value>(issuer: string, occasion: Occasion, work: () => Promise<Value>): Promise<Value> {
		const haste = occasion === "ahead" ? "ahead" : "waited_for";
		return this.#options.lanes?.run(issuer, haste, work) ?? work();
	}

	/** True where there is another token afterwards, of ours or of whoever had the turn before. */
	async #refresh(
		found: Discovered,
		before: Grant | undefined,
		occasion: Occasion,
	): Promise<boolean> {
		const { store } = this.#options;
		const { issuer } = found.server;
		// Somebody has ended it meanwhile.
		if (before !== undefined && this.#grant === undefined) return false;
		const kept = (await store.grants(this.#key)).find((grant) => grant.issuer === issuer);
		if (kept !== undefined && kept.access_token !== before?.access_token) {
			this.#grant = kept;
			return true;
		}
		// A token of another issuer, or for another resource, has no part in what follows.
		if (before?.issuer !== issuer || before.resource !== found.resource) return false;
		if (before.refresh_token === undefined) {
			if (occasion !== "ahead") await this.#end(before);
			return false;
		}
		// It is good for the client that it was given to, whatever we would register as today.
		const registration = before.registration ?? (await this.#register(found));
		const context = await this.#context(found, registration, no_challenge, before);
		const scoped = { ...context, scopes: before.scopes };
		const { refresh_token } = before;
		const ended = this.#options.begin?.();
		const refreshed = await this.#telling("refresh_token", async () => {
			const answer = await refreshGrant(scoped, refresh_token);
			if (typeof answer === "string") return answer;
			const next = { refresh_token, ...answer };
			await this.#keep(this.#grantOf(found, scoped.scopes, next, registration));
			return "issued";
		}).finally(() => ended?.());
		if (refreshed === "issued") return true;
		if (refreshed === "unknown_client") {
			// What somebody else registered may be put right: the person has agreed, and that holds.
			if (registration.redirect_uri === undefined) throw refusedClient(issuer);
			await store.unregister(this.#used_by, issuer);
		}
		if (occasion !== "ahead") await this.#end(before);
		else {
			// What is left of its life is used, and nobody tries again meanwhile.
			this.#grant = { ...before, refresh_token: undefined };
			await store.keep(this.#key, this.#grant);
		}
		return false;
	}

	/** Asks for a token, and tells whoever counts how that ended. */
	async #telling<Outcome extends string>(
		grant: TokenRequest["grant"],
		ask: () => Promise<Outcome>,
	): Promise<Outcome> {
		const { onTokenRequest } = this.#options;
		try {
			const outcome = await ask();
			onTokenRequest?.({ grant, outcome: outcome === "issued" ? "issued" : "refused" });
			return outcome;
		} catch (error) {
			const refused = error instanceof OAuthProblem && error.code !== undefined;
			onTokenRequest?.({ grant, outcome: refused ? "refused" : "failed" });
			throw error;
		}
	}

	async #end({ issuer }: Grant): Promise<void> {
		this.#forgetGrant();
		await this.#options.store.end(this.#key, issuer);
	}

	async #register({ server }: Discovered): Promise<Registration> {
		const { spec, store, clock } = this.#options;
		const known = await store.registrations(this.#used_by);
		// An issuer that does not name itself in its answers (RFC 9207) is known by where they come:
		// else one issuer could have another answer for it, and be shown what that gave.
		const is_named = server.authorization_response_iss_parameter_supported === true;
		const own = is_named ? undefined : server.issuer;
		const redirect_uri = this.#asks_person ? this.#options.redirectUri(own) : "";
		const now_ms = clock.now();
		const options = { spec, server, redirect_uri, fetch: this.#fetch, known, now_ms };
		const registration = await register(options);
		const { client_id, auth_method, redirect_uri: registered } = registration;
		if (spec.client_id !== undefined && known[server.issuer] === undefined) {
			// Which issuer it belongs to has to outlive us; its secret stands in the configuration.
			const binding = { client_id, client_secret: undefined, auth_method };
			await store.register(this.#used_by, server.issuer, binding);
		} else if (registered !== undefined && known[server.issuer] !== registration) {
			await store.register(this.#used_by, server.issuer, registration);
		}
		return registration;
	}

	/** Whom the issuer does not know any more registers anew the next time. */
	async #forgetUnknown(error: unknown, issuer: string, registration: Registration): Promise<void> {
		const codes = ["invalid_client", "unauthorized_client"];
		if (!(error instanceof OAuthProblem) || !codes.includes(error.code ?? "")) return;
		if (registration.redirect_uri === undefined) return;
		await this.#options.store.unregister(this.#used_by, issuer);
	}

	async #context(
		found: Discovered,
		registration: Registration,
		challenge: BearerChallenge,
		before: Grant | undefined,
	): Promise<TokenContext> {
		const { spec } = this.#options;
		const { server, resource } = found;
		const client: Client = { client_id: registration.client_id };
		const scopes = selectScopes({
			configured: spec.scopes,
			challenged: challenge.scopes,
			before: before?.issuer === server.issuer ? before.scopes : [],
			listed: found.scopes,
			server,
			extra: spec.service?.extra_scopes ?? [],
			wants_refresh: this.#asks_person,
		});
		const auth = await clientAuth(spec, server, registration);
		return { server, client, auth, resource, scopes, fetch: this.#fetch, service: spec.service };
	}

	#grantOf(
		found: Discovered,
		scopes: readonly string[],
		answer: TokenEndpointResponse,
		registration: Registration,
	): Grant {
		const { spec, clock, random } = this.#options;
		const is_configured = spec.client_id !== undefined;
		return givenGrant(answer, { found, scopes, registration, is_configured, clock, random });
	}

	async #keep(grant: Grant): Promise<void> {
		// Kept before it is used: the token that it takes the place of may be good no more.
		await this.#options.store.keep(this.#key, grant);
		this.#grant = grant;
		this.#has_ended = false;
	}
}

const no_challenge = readChallenge(undefined);

function refusedClient(issuer: string): OAuthProblem {
	return new OAuthProblem(
		`Its authorization server ${originOf(issuer)} does not accept who Moorage is there. ` +
			"Check `client_id` and `client_secret` under `oauth`.",
		"invalid_client",
	);
}

function failed(advice: string): AuthProblem {
	return { code: "authorization_failed", advice };
}
