import { createHash } from "node:crypto";
import type { Client, TokenEndpointResponse } from "oauth4webapi";
import type { OAuthSpec } from "../../../config/plan.ts";
import type { Clock } from "../../../lib/clock.ts";
import { type GuardedFetch, guardedFetch } from "../../../lib/guarded-fetch.ts";
import { fail, type Result, succeed } from "../../../lib/result.ts";
import type { AuthProblem } from "../../faults.ts";
import type { Headers } from "../remote.ts";
import { type BearerChallenge, readChallenge } from "./challenge.ts";
import { clientAuth } from "./client-auth.ts";
import { type Discovered, discover } from "./discovery.ts";
import { OAuthProblem } from "./oauth-problem.ts";
import { register } from "./register.ts";
import { selectScopes } from "./scopes.ts";
import {
	type Authorize,
	codeGrant,
	credentialsGrant,
	refreshGrant,
	type TokenContext,
} from "./token-requests.ts";
import type { Grant, GrantKey, Registration, TokenStore } from "./token-store.ts";

/** How long a call waits for a person before it ends with what to do. */
const consent_wait_ms = 5_000;
/** Authorizations that one call may cause: a first one, and steps up. */
const rounds_max = 3;
/** How long before its end a token is renewed, at most. */
const renew_margin_ms = 60_000;
/** Longest token that is sent. */
const token_chars_max = 8_192;

/** What the authorization for one server is made of. */
export interface UpstreamAuthOptions {
	readonly url: string;
	readonly spec: OAuthSpec;
	/** Whose it is; `about` is known by the authorization itself. */
	readonly key: Omit<GrantKey, "about">;
	readonly store: TokenStore;
	/** Whoever else renews the same grant waits meanwhile, and finds the new one. */
	inTurn<Value>(work: () => Promise<Value>): Promise<Value>;
	readonly clock: Clock;
	readonly authorize: Authorize;
	/** Whether whoever calls may be told the page: it decides for whoever opens it. */
	readonly namesPage?: (() => boolean) | undefined;
	/** Where the authorization page leads back to. */
	redirectUri(): string;
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

/** What follows from a refusal. */
export type AfterRefusal = Result<"retry" | "pass", AuthProblem>;

/** Why another token is wanted: how it may be got depends on it. */
type Occasion =
	| "refused" // what we have is not accepted
	| "step_up" // it is, but not for this
	| "ahead"; // it soon will not be; nobody is to be asked for that

/**
 * Our authorization to use one server. Refusals drive it: it asks for a token when one is
 * wanted, for a new one when the old is not accepted, and for more scopes when they do not
 * suffice. However many calls are refused at once, one authorization is under way at a time.
 */
export class UpstreamAuth {
	readonly #options: UpstreamAuthOptions;
	readonly #fetch: GuardedFetch;
	readonly #key: GrantKey;
	/** Names the servers that use our registration. */
	readonly #used_by: string;
	#grant: Grant | undefined;
	#loading: Promise<void> | undefined;
	/** Whether the last grant was taken back, or has run out. */
	#has_ended = false;
	/** The page that waits for a person. */
	#page: URL | undefined;
	#under_way: Promise<AfterRefusal> | undefined;
	/** The renewal of a token that is still good. */
	#ahead: Promise<void> | undefined;
	/** The token that could not be renewed ahead of its end: its refusal is waited for. */
	#unrenewable: string | undefined;
	/** The last challenge that led to a token: it may name what is found nowhere else. */
	#challenge: BearerChallenge = readChallenge(undefined);

	constructor(options: UpstreamAuthOptions) {
		this.#options = options;
		const { url, spec, key } = options;
		const about = digest([url, spec.grant, spec.client_id ?? null]);
		this.#key = { ...key, about };
		this.#used_by = spec.client_id === undefined ? "" : digest([key.server, about]);
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

	get token(): string | undefined {
		return this.#grant?.access_token;
	}

	/** What was authorized does not hold any more: the next call asks anew. */
	forget(): void {
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
		await this.#ahead;
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
		this.#under_way ??= this.#obtain(challenge, occasion).finally(() => {
			this.#under_way = undefined;
		});
		return this.#atMost(this.#under_way);
	}

	#addsScopes(challenge: BearerChallenge): boolean {
		const before = this.#grant?.scopes ?? [];
		return challenge.scopes.some((scope) => !before.includes(scope));
	}

	/** The authorization goes on behind a call that cannot wait for a person. */
	#atMost(under_way: Promise<AfterRefusal>): Promise<AfterRefusal> {
		return new Promise((resolve) => {
			const timer = this.#options.clock.afterIdle(consent_wait_ms, () => {
				resolve(
					fail({
						code: "authorization_required",
						advice: this.#whatToDo(),
					}),
				);
			});
			void under_way.then((outcome) => {
				timer.cancel();
				resolve(outcome);
			});
		});
	}

	#whatToDo(): string {
		const why = this.#has_ended ? "The authorization for it was taken back or has run out. " : "";
		const page = this.#options.namesPage?.() === true ? this.#page?.href : undefined;
		const where = page ?? "the address that stands in Moorage's log";
		return `${why}It needs your authorization: open ${where}, then try again.`;
	}

	/** Asks a person, and remembers where meanwhile. */
	async #ask(page: URL, state: string): Promise<URL> {
		this.#page = page;
		try {
			return await this.#options.authorize(page, state);
		} finally {
			this.#page = undefined;
		}
	}

	async #obtain(challenge: BearerChallenge, occasion: Occasion): Promise<AfterRefusal> {
		try {
			await this.load();
			await this.#renew(challenge, occasion);
			this.#challenge = challenge;
			return succeed("retry");
		} catch (error) {
			if (error instanceof OAuthProblem) return fail(failed(error.message));
			return fail(failed("Authorization with it failed. Check its address, and try again later."));
		}
	}

	#renewAhead(): void {
		const grant = this.#grant;
		if (grant?.renew_at_ms === undefined || this.#options.clock.now() < grant.renew_at_ms) return;
		const { access_token, refresh_token } = grant;
		const by_itself =
			refresh_token !== undefined || this.#options.spec.grant === "client_credentials";
		if (!by_itself || this.#unrenewable === access_token) return;
		if (this.#ahead !== undefined || this.#under_way !== undefined) return;
		this.#ahead = this.#obtain(this.#challenge, "ahead").then(() => {
			this.#ahead = undefined;
			if (this.token === access_token) this.#unrenewable = access_token;
		});
	}

	async #read(): Promise<void> {
		const { store, spec } = this.#options;
		const kept = await store.grants(this.#key);
		this.#grant = kept.find(({ issuer }) => issuer === spec.issuer) ?? kept[0];
	}

	async #renew(challenge: BearerChallenge, occasion: Occasion): Promise<void> {
		const { url, spec } = this.#options;
		const before = this.#grant;
		const preferred = [spec.issuer, before?.issuer].filter((issuer) => issuer !== undefined);
		const found = await discover(url, challenge, this.#fetch, preferred);
		if (occasion !== "step_up") {
			const is_renewed = await this.#options.inTurn(() => this.#refresh(found, before, occasion));
			if (is_renewed) return;
		}
		if (occasion === "ahead" && spec.grant !== "client_credentials") return;
		const registration = await this.#register(found);
		const context = await this.#context(found, registration, challenge, before);
		try {
			const answer =
				spec.grant === "client_credentials"
					? await credentialsGrant(context)
					: await codeGrant(context, this.#options.redirectUri(), (...ask) => this.#ask(...ask));
			await this.#keep(found, context.scopes, answer, undefined, registration);
		} catch (error) {
			await this.#forgetUnknown(error, found.server.issuer, registration);
			throw error;
		}
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
		const refreshed = await refreshGrant(scoped, before.refresh_token);
		if (typeof refreshed === "object") {
			await this.#keep(found, scoped.scopes, refreshed, before.refresh_token, registration);
			return true;
		}
		if (refreshed === "unknown_client" && registration.redirect_uri !== undefined) {
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

	async #end({ issuer }: Grant): Promise<void> {
		this.forget();
		await this.#options.store.end(this.#key, issuer);
	}

	async #register({ server }: Discovered): Promise<Registration> {
		const { spec, store, clock } = this.#options;
		const known = await store.registrations(this.#used_by);
		const redirect_uri = spec.grant === "client_credentials" ? "" : this.#options.redirectUri();
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
			wants_refresh: spec.grant !== "client_credentials",
		});
		const auth = await clientAuth(spec, server, registration);
		return { server, client, auth, resource, scopes, fetch: this.#fetch };
	}

	async #keep(
		{ server, resource }: Discovered,
		scopes: readonly string[],
		answer: TokenEndpointResponse,
		old_refresh_token: string | undefined,
		registration: Registration,
	): Promise<void> {
		const { access_token, token_type, refresh_token = old_refresh_token } = answer;
		const is_sendable = /^[\x21-\x7e]+$/.test(access_token);
		if (token_type !== "bearer" || !is_sendable || access_token.length > token_chars_max) {
			throw new OAuthProblem(
				"Its authorization server gave a token of a kind that Moorage does not know. " +
					"Report this to whoever runs it.",
			);
		}
		const grant: Grant = {
			issuer: server.issuer,
			resource,
			access_token,
			refresh_token,
			scopes,
			renew_at_ms: this.#renewAt(answer.expires_in),
			registration: this.#options.spec.client_id === undefined ? registration : undefined,
		};
		// Kept before it is used: the token that it takes the place of may be good no more.
		await this.#options.store.keep(this.#key, grant);
		this.#grant = grant;
		this.#has_ended = false;
	}

	/** A minute before its end, or when a quarter of a shorter life is left. */
	#renewAt(expires_in_s: number | undefined): number | undefined {
		if (expires_in_s === undefined) return undefined;
		const life_ms = expires_in_s * 1000;
		return this.#options.clock.now() + life_ms - Math.min(renew_margin_ms, life_ms / 4);
	}
}

const no_challenge = readChallenge(undefined);

function digest(parts: unknown): string {
	return createHash("sha256").update(JSON.stringify(parts)).digest("base64url");
}

function failed(advice: string): AuthProblem {
	return { code: "authorization_failed", advice };
}
