import {
	type AuthorizationServer,
	authorizationCodeGrantRequest,
	type Client,
	calculatePKCECodeChallenge,
	getValidatedIdTokenClaims,
	processAuthorizationCodeResponse,
	processRevocationResponse,
	revocationRequest,
	validateApplicationLevelSignature,
	validateAuthResponse,
} from "oauth4webapi";
import type { ProviderPlan } from "../config/plan-login.ts";
import { type Claims, principalFromClaims } from "../identity/oauth/claims.ts";
import type { People } from "../identity/people.ts";
import { type Clock, withinTime } from "../lib/clock.ts";
import type { Random } from "../lib/random.ts";
import { fail, type Result, succeed } from "../lib/result.ts";
import type { StoredUser } from "../store/people-repository.ts";
import type { Log } from "../telemetry/log.ts";
import { type Begun, BegunLogins } from "./begun-logins.ts";
import { authOf, ProviderRequests } from "./provider-requests.ts";
import { hashId, type RecordOptions } from "./records.ts";

/** Where identity providers send browsers back to. */
export const federated_callback = "/oauth/login/callback";

/** What logging in elsewhere is made of. */
export interface FederatedOptions<Plan extends ProviderPlan> {
	readonly providers: readonly Plan[];
	readonly clock: Clock;
	readonly random: Random;
	readonly log: Log;
	/** Where logins that are under way are kept. */
	readonly records: RecordOptions;
	/** Origin of this gateway, without a slash at the end. */
	readonly issuer: string;
}

/** Somebody whom a provider vouches for, by its claims as they were verified. */
export interface Vouched<Plan extends ProviderPlan> {
	readonly provider: Plan;
	readonly claims: Claims;
	/** What it vouches with. */
	readonly tokens: VouchedTokens;
	/** What is kept until the person signs out. */
	readonly login: Login;
}

/** What is known of a login at a provider that is to end. */
export interface Login {
	/** Name of the provider, and the issuer that it had. */
	readonly provider: string;
	readonly issuer: string;
	/** Says whose session is to end; undefined where it is too large to be kept. */
	readonly id_token?: string | undefined;
	/** What is revoked then. */
	readonly token?: string | undefined;
}

/** What a provider has given for somebody. */
export interface VouchedTokens {
	/** Its signature was verified. */
	readonly id_token: string;
	/** Renews it, where the provider gives such. */
	readonly refresh_token: string | undefined;
}

/** Why nobody can be sent to a provider. */
export type BeginProblem = "unreachable" | "full";

/** Longest token that is kept for the day on which its person signs out. */
const kept_chars_max = 4_096;
/** Whoever signs out waits for their provider no longer than this. */
const leave_ms_max = 3_000;

/**
 * Logs people in at OpenID providers elsewhere: authorization code with PKCE, `state` and `nonce`
 * drawn for each login and good once, the issuer of the answer compared (RFC 9207), the ID token's
 * signature checked. A login that is under way outlives this object and this process.
 */
export class Federated<Plan extends ProviderPlan = ProviderPlan> {
	readonly #options: FederatedOptions<Plan>;
	readonly #begun: BegunLogins;
	readonly #requests: ProviderRequests;

	constructor(options: FederatedOptions<Plan>) {
		this.#options = options;
		this.#begun = new BegunLogins(options.records);
		this.#requests = new ProviderRequests(options.clock);
	}

	/** The providers, as they are offered on the login page. */
	get offered(): readonly Pick<ProviderPlan, "name" | "title">[] {
		return this.#options.providers;
	}

	/**
	 * The page at a provider to send the browser to. Whoever begins again has given up the login that
	 * they had begun before; where there are too many, those under way are kept.
	 */
	async begin(name: string, interaction: string): Promise<Result<URL, BeginProblem>> {
		const provider = this.#options.providers.find((one) => one.name === name);
		if (provider === undefined) return fail("unreachable");
		try {
			const server = await this.#requests.server(provider);
			const page = URL.parse(server.authorization_endpoint ?? "");
			if (page === null || !["https:", "http:"].includes(page.protocol)) return fail("unreachable");
			const [nonce, verifier] = [this.#draw(), this.#draw()];
			const state = `${hashId(interaction)}.${this.#draw()}`;
			const { issuer } = provider;
			const begun = { provider: name, issuer, interaction, state, verifier, nonce };
			if (!(await this.#begun.keep(begun))) return fail("full");
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
			return succeed(page);
		} catch (error) {
			this.#options.log.warn({ err: error, provider: name }, "an identity provider is unreachable");
			return fail("unreachable");
		}
	}

	/** Who comes back from a provider; the problem is a sentence for them. */
	async finish(callback: URL, interaction: string): Promise<Result<Vouched<Plan>, string>> {
		const state = callback.searchParams.get("state") ?? "";
		const begun = await this.#begun.find(state);
		// In another browser it is nobody's login, and stays good for the one it was begun in.
		if (begun === undefined || begun.interaction !== interaction) return fail(not_begun);
		// Of two that come at the same moment one goes on.
		if (!(await this.#begun.consume(interaction))) return fail(not_begun);
		const { log, providers } = this.#options;
		const provider = providers.find((one) => one.name === begun.provider);
		if (provider?.issuer !== begun.issuer) return fail(not_offered);
		try {
			return succeed({ provider, ...(await this.#redeem(callback, provider, begun)) });
		} catch (error) {
			log.warn({ err: error, provider: provider.name }, "a login at a provider failed");
			return fail("The provider did not confirm the login. Try again.");
		}
	}

	/**
	 * Ends a login at a provider: what it gave is revoked (RFC 7009), and what it has given `since`
	 * in the place of that, by which the person would be signed in still. A provider that does not
	 * answer keeps nobody waiting for long.
	 * @returns the page that ends the person's session there, where the provider has one (OpenID
	 *   Connect RP-Initiated Logout 1.0); without a way back, which would have to be registered
	 */
	async leave(login: Login, since: readonly Login[] = []): Promise<URL | undefined> {
		const provider = this.#options.providers.find(({ name }) => name === login.provider);
		if (provider === undefined || provider.issuer !== login.issuer) return undefined;
		const { clock, log } = this.#options;
		const theirs = since.filter(
			({ provider: name, issuer }) => name === login.provider && issuer === login.issuer,
		);
		const tokens = new Set([...theirs, login].flatMap(({ token }) => token ?? []));
		let page: URL | undefined;
		const left = this.#requests
			.server(provider)
			.then((server) => {
				page = pageToLeave(server, provider, login);
				return Promise.all([...tokens].map((token) => this.#revoke(server, provider, token)));
			})
			.catch((error: unknown) => {
				log.warn({ err: error, provider: provider.name }, "a login was not ended elsewhere");
			});
		await withinTime(clock, leave_ms_max, left);
		return page;
	}

	async #revoke(server: AuthorizationServer, provider: Plan, token: string): Promise<void> {
		if (server.revocation_endpoint === undefined) return;
		const client: Client = { client_id: provider.client_id };
		const options = this.#requests.options(provider);
		const auth = authOf(provider, server);
		await processRevocationResponse(await revocationRequest(server, client, auth, token, options));
	}

	async #redeem(callback: URL, provider: ProviderPlan, begun: Begun) {
		const { state, verifier, nonce } = begun;
		const server = await this.#requests.server(provider);
		const client: Client = { client_id: provider.client_id };
		const answer = validateAuthResponse(server, client, callback, state);
		const options = this.#requests.options(provider);
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
		const { id_token, refresh_token, access_token } = tokens;
		if (claims === undefined || id_token === undefined) {
			throw new Error("the provider sent no ID token");
		}
		const { name, issuer } = provider;
		const login: Login = {
			...{ provider: name, issuer },
			id_token: kept(id_token),
			token: kept(refresh_token ?? access_token),
		};
		return { claims: claims as Claims, tokens: { id_token, refresh_token }, login };
	}

	get #redirectUri(): string {
		return `${this.#options.issuer}${federated_callback}`;
	}

	#draw(): string {
		return this.#options.random.bytes(32).toString("base64url");
	}
}

/**
 * The person that a provider's verified claims are about, added to the store when they come for
 * the first time; the problem is a sentence for them.
 */
export async function admit(
	claims: Claims,
	provider: Pick<ProviderPlan, "name" | "claims">,
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

function pageToLeave(
	server: AuthorizationServer,
	{ client_id }: ProviderPlan,
	{ id_token }: Login,
): URL | undefined {
	const page = URL.parse(server.end_session_endpoint ?? "");
	if (page === null || !["https:", "http:"].includes(page.protocol)) return undefined;
	page.searchParams.set("client_id", client_id);
	if (id_token !== undefined) page.searchParams.set("id_token_hint", id_token);
	return page;
}

function kept(token: string): string | undefined {
	return token.length > kept_chars_max ? undefined : token;
}

const not_offered = "This provider is not offered any more. Choose another way to log in.";
const not_begun = "This login was not begun here, or took too long. Try again.";
