import {
	type AuthorizationServer,
	allowInsecureRequests,
	authorizationCodeGrantRequest,
	type Client,
	type ClientAuth,
	ClientSecretBasic,
	ClientSecretPost,
	calculatePKCECodeChallenge,
	customFetch,
	discoveryRequest,
	getValidatedIdTokenClaims,
	None,
	processAuthorizationCodeResponse,
	processDiscoveryResponse,
	validateApplicationLevelSignature,
	validateAuthResponse,
} from "oauth4webapi";
import type { FederatedPlan } from "../config/plan-login.ts";
import { type Claims, principalFromClaims } from "../identity/oauth/claims.ts";
import type { People } from "../identity/people.ts";
import type { Clock } from "../lib/clock.ts";
import { type GuardedFetch, guardedFetch } from "../lib/guarded-fetch.ts";
import type { Random } from "../lib/random.ts";
import { fail, type Result, succeed } from "../lib/result.ts";
import type { StoredUser } from "../store/people-repository.ts";
import type { Log } from "../telemetry/log.ts";

/** Where identity providers send browsers back to. */
export const federated_callback = "/oauth/login/callback";

/** What logging in elsewhere is made of. */
export interface FederatedOptions {
	readonly providers: readonly FederatedPlan[];
	readonly people: People;
	readonly clock: Clock;
	readonly random: Random;
	readonly log: Log;
	/** Origin of this gateway, without a slash at the end. */
	readonly issuer: string;
}

/** A login that is under way at a provider. */
interface Begun {
	readonly provider: FederatedPlan;
	readonly interaction: string;
	readonly verifier: string;
	readonly nonce: string;
	readonly until_ms: number;
}

const begun_ms = 10 * 60_000;
const begun_max = 10_000;
const metadata_ms = 10 * 60_000;

/**
 * Logs people in at OpenID providers elsewhere: authorization code with PKCE, `state` and `nonce`
 * drawn for each login and good once, the issuer of the answer compared (RFC 9207), the ID token's
 * signature checked.
 */
export class Federated {
	readonly #options: FederatedOptions;
	readonly #begun = new Map<string, Begun>();
	readonly #metadata = new Map<string, { server: AuthorizationServer; until_ms: number }>();
	readonly #fetches = new Map<string, GuardedFetch>();

	constructor(options: FederatedOptions) {
		this.#options = options;
	}

	/** The providers, as they are offered on the login page. */
	get offered(): readonly Pick<FederatedPlan, "name" | "title">[] {
		return this.#options.providers;
	}

	/** The page at a provider to send the browser to; undefined where it cannot be reached. */
	async begin(name: string, interaction: string): Promise<URL | undefined> {
		const provider = this.#options.providers.find((one) => one.name === name);
		if (provider === undefined) return undefined;
		try {
			const server = await this.#server(provider);
			const page = URL.parse(server.authorization_endpoint ?? "");
			if (page === null || !["https:", "http:"].includes(page.protocol)) return undefined;
			const [state, nonce, verifier] = [this.#draw(), this.#draw(), this.#draw()];
			const now_ms = this.#options.clock.monotonic();
			this.#sweep(now_ms);
			this.#begun.set(state, {
				provider,
				interaction,
				verifier,
				nonce,
				until_ms: now_ms + begun_ms,
			});
			const parameters = {
				response_type: "code",
				client_id: provider.client_id,
				redirect_uri: this.#redirectUri,
				scope: provider.scopes.join(" "),
				state,
				nonce,
				code_challenge: await calculatePKCECodeChallenge(verifier),
				code_challenge_method: "S256",
			};
			for (const [key, value] of Object.entries(parameters)) page.searchParams.set(key, value);
			return page;
		} catch (error) {
			this.#options.log.warn({ err: error, provider: name }, "an identity provider is unreachable");
			return undefined;
		}
	}

	/** The interaction that an answer of a provider belongs to. */
	interactionOf(state: string): string | undefined {
		return this.#begun.get(state)?.interaction;
	}

	/** Who comes back from a provider; the problem is a sentence for them. */
	async finish(callback: URL, interaction: string): Promise<Result<StoredUser, string>> {
		const state = callback.searchParams.get("state") ?? "";
		const begun = this.#begun.get(state);
		// In another browser, or a second time, it is nobody's login.
		if (begun === undefined || begun.interaction !== interaction) return fail(not_begun);
		this.#begun.delete(state);
		if (begun.until_ms <= this.#options.clock.monotonic()) return fail(not_begun);
		try {
			return await this.#admit(await this.#claims(callback, state, begun), begun.provider);
		} catch (error) {
			const { name } = begun.provider;
			this.#options.log.warn({ err: error, provider: name }, "a login at a provider failed");
			return fail("The provider did not confirm the login. Try again.");
		}
	}

	/** The person that a provider's claims are about. */
	async #admit(claims: Claims, provider: FederatedPlan): Promise<Result<StoredUser, string>> {
		return admit(claims, provider, this.#options.people, this.#options.log);
	}

	async #claims(callback: URL, state: string, begun: Begun): Promise<Claims> {
		const { provider, verifier, nonce } = begun;
		const server = await this.#server(provider);
		const client: Client = { client_id: provider.client_id };
		const answer = validateAuthResponse(server, client, callback, state);
		const options = this.#fetching(provider);
		const response = await authorizationCodeGrantRequest(
			server,
			client,
			authOf(provider, server),
			answer,
			this.#redirectUri,
			verifier,
			options,
		);
		const tokens = await processAuthorizationCodeResponse(server, client, response, {
			expectedNonce: nonce,
			requireIdToken: true,
		});
		await validateApplicationLevelSignature(server, response, options);
		const claims = getValidatedIdTokenClaims(tokens);
		if (claims === undefined) throw new Error("the provider sent no ID token");
		return claims;
	}

	async #server(provider: FederatedPlan): Promise<AuthorizationServer> {
		const now_ms = this.#options.clock.monotonic();
		const known = this.#metadata.get(provider.name);
		if (known !== undefined && known.until_ms > now_ms) return known.server;
		const issuer = new URL(provider.issuer);
		const response = await discoveryRequest(issuer, this.#fetching(provider));
		const server = await processDiscoveryResponse(issuer, response);
		this.#metadata.set(provider.name, { server, until_ms: now_ms + metadata_ms });
		return server;
	}

	#fetching(provider: FederatedPlan) {
		const { name, issuer } = provider;
		const fetch =
			this.#fetches.get(name) ?? guardedFetch({ clock: this.#options.clock, near: issuer });
		this.#fetches.set(name, fetch);
		return {
			// The guard decides where plain http is acceptable.
			[allowInsecureRequests]: true,
			[customFetch]: (
				url: string,
				init: { method: string; body?: unknown; headers: Record<string, string> },
			) => {
				const body = init.body instanceof URLSearchParams ? init.body.toString() : undefined;
				return fetch(url, { method: init.method, headers: init.headers, body });
			},
		};
	}

	get #redirectUri(): string {
		return `${this.#options.issuer}${federated_callback}`;
	}

	#draw(): string {
		return this.#options.random.bytes(32).toString("base64url");
	}

	/** The oldest come first: what is over, and what is too much. */
	#sweep(now_ms: number): void {
		for (const [state, { until_ms }] of this.#begun) {
			if (until_ms > now_ms && this.#begun.size < begun_max) return;
			this.#begun.delete(state);
		}
	}
}

/**
 * The person that a provider's verified claims are about, added to the store when they come for
 * the first time; the problem is a sentence for them.
 */
export async function admit(
	claims: Claims,
	provider: FederatedPlan,
	people: People,
	log: Log,
): Promise<Result<StoredUser, string>> {
	const principal = principalFromClaims(claims, provider.claims);
	const subject = claims["sub"];
	if (!principal.ok || typeof subject !== "string" || subject === "") {
		const detail = principal.ok ? "there is no sub" : principal.problem;
		log.warn({ detail, provider: provider.name }, "a provider does not say who it is");
		return fail("The provider does not say who you are in a way this gateway understands.");
	}
	const { tenant, user, roles } = principal.value;
	const name = claims["name"];
	const display_name = typeof name === "string" ? name.slice(0, 128) : undefined;
	const vouched = { provider: provider.name, subject, tenant, user, display_name, roles };
	const admitted = await people.admit(vouched);
	if (admitted.ok) return succeed(admitted.value);
	log.warn({ detail: admitted.problem.message, provider: provider.name }, "not admitted");
	return fail("Your name belongs to another account here. Ask whoever runs this gateway.");
}

function authOf(provider: FederatedPlan, server: AuthorizationServer): ClientAuth {
	if (provider.client_secret === undefined) return None();
	const methods = server.token_endpoint_auth_methods_supported ?? ["client_secret_basic"];
	return methods.includes("client_secret_basic")
		? ClientSecretBasic(provider.client_secret)
		: ClientSecretPost(provider.client_secret);
}

const not_begun = "This login was not begun here, or took too long. Try again.";
