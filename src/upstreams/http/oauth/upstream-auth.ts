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
import type { Credentials, Grant, Registration, TokenStore } from "./token-store.ts";

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
	/** Where credentials stand in the store. */
	readonly key: string;
	readonly store: TokenStore;
	readonly clock: Clock;
	readonly authorize: Authorize;
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
	#credentials: Credentials | undefined;
	#under_way: Promise<AfterRefusal> | undefined;
	/** The renewal of a token that is still good. */
	#ahead: Promise<void> | undefined;
	/** The token that could not be renewed ahead of its end: its refusal is waited for. */
	#unrenewable: string | undefined;
	/** The last challenge that led to a token: it may name what is found nowhere else. */
	#challenge: BearerChallenge = readChallenge(undefined);

	constructor(options: UpstreamAuthOptions) {
		this.#options = options;
		this.#fetch = guardedFetch({ near: options.url, clock: options.clock });
	}

	/** Reads what the store has; before this there are no headers. */
	async load(): Promise<void> {
		const empty = { registrations: {}, grant: undefined };
		this.#credentials ??= (await this.#options.store.read(this.#options.key)) ?? empty;
	}

	get token(): string | undefined {
		return this.#credentials?.grant?.access_token;
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
		const before = this.#credentials?.grant?.scopes ?? [];
		return challenge.scopes.some((scope) => !before.includes(scope));
	}

	/** The authorization goes on behind a call that cannot wait for a person. */
	#atMost(under_way: Promise<AfterRefusal>): Promise<AfterRefusal> {
		return new Promise((resolve) => {
			const timer = this.#options.clock.afterIdle(consent_wait_ms, () => {
				resolve(
					fail({
						code: "authorization_required",
						advice:
							"It needs your authorization: open the address that stands in Moorage's log, " +
							"then try again.",
					}),
				);
			});
			void under_way.then((outcome) => {
				timer.cancel();
				resolve(outcome);
			});
		});
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
		const grant = this.#credentials?.grant;
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

	async #renew(challenge: BearerChallenge, occasion: Occasion): Promise<void> {
		const { url, spec } = this.#options;
		const before = this.#credentials?.grant;
		const preferred = [spec.issuer, before?.issuer].filter((issuer) => issuer !== undefined);
		const found = await discover(url, challenge, this.#fetch, preferred);
		const registration = await this.#register(found);
		const context = await this.#context(found, registration, challenge);
		// A token of another issuer, or for another resource, has no part in what follows.
		const same = before?.issuer === found.server.issuer && before.resource === found.resource;
		if (same && occasion !== "step_up" && before.refresh_token !== undefined) {
			const scoped = { ...context, scopes: before.scopes };
			const refreshed = await refreshGrant(scoped, before.refresh_token);
			if (refreshed !== undefined) {
				await this.#keep(found, scoped.scopes, refreshed, before.refresh_token);
				return;
			}
		}
		if (occasion === "ahead" && spec.grant !== "client_credentials") return;
		const answer =
			spec.grant === "client_credentials"
				? await credentialsGrant(context)
				: await codeGrant(context, this.#options.redirectUri(), this.#options.authorize);
		await this.#keep(found, context.scopes, answer, undefined);
	}

	async #register({ server }: Discovered): Promise<Registration> {
		const { spec } = this.#options;
		const known = this.#credentials?.registrations ?? {};
		const redirect_uri = spec.grant === "client_credentials" ? "" : this.#options.redirectUri();
		const options = { spec, server, redirect_uri, fetch: this.#fetch, known };
		const registration = await register(options);
		const registrations = { ...known, [server.issuer]: registration };
		await this.#write({ registrations, grant: this.#credentials?.grant });
		return registration;
	}

	async #context(
		found: Discovered,
		registration: Registration,
		challenge: BearerChallenge,
	): Promise<TokenContext> {
		const { spec } = this.#options;
		const { server, resource } = found;
		const grant = this.#credentials?.grant;
		const client: Client = { client_id: registration.client_id };
		const scopes = selectScopes({
			configured: spec.scopes,
			challenged: challenge.scopes,
			before: grant?.issuer === server.issuer ? grant.scopes : [],
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
		};
		await this.#write({ registrations: this.#credentials?.registrations ?? {}, grant });
	}

	/** A minute before its end, or when a quarter of a shorter life is left. */
	#renewAt(expires_in_s: number | undefined): number | undefined {
		if (expires_in_s === undefined) return undefined;
		const life_ms = expires_in_s * 1000;
		return this.#options.clock.now() + life_ms - Math.min(renew_margin_ms, life_ms / 4);
	}

	async #write(credentials: Credentials): Promise<void> {
		this.#credentials = credentials;
		await this.#options.store.write(this.#options.key, credentials);
	}
}

function failed(advice: string): AuthProblem {
	return { code: "authorization_failed", advice };
}
