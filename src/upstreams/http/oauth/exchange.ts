import {
	type AuthorizationServer,
	allowInsecureRequests,
	type ClientAuth,
	customFetch,
	genericTokenEndpointRequest,
	processGenericTokenEndpointResponse,
	type TokenEndpointResponse,
} from "oauth4webapi";
import type { OAuthGrant, OAuthSubject } from "../../../config/plan.ts";
import type { Clock } from "../../../lib/clock.ts";
import { guardedFetch } from "../../../lib/guarded-fetch.ts";
import { clientAuth } from "./client-auth.ts";
import { serverMetadata } from "./discovery.ts";
import type { FoundServers } from "./found-servers.ts";
import { OAuthProblem, originOf } from "./oauth-problem.ts";
import { askFor, problemOf, type TokenContext } from "./token-requests.ts";

const token_exchange = "urn:ietf:params:oauth:grant-type:token-exchange";
const jwt_bearer = "urn:ietf:params:oauth:grant-type:jwt-bearer";
const id_token_type = "urn:ietf:params:oauth:token-type:id_token";
const access_token_type = "urn:ietf:params:oauth:token-type:access_token";
const id_jag_type = "urn:ietf:params:oauth:token-type:id-jag";

/** Longest assertion that is passed on. */
const assertion_chars_max = 16_384;

/** Nobody has signed in whose identity could be exchanged, or not lately enough. */
export class SignInRequired extends OAuthProblem {}

/** Whose identity is exchanged for tokens of one server. */
export interface IdentitySource {
	/** Undefined: whoever it is has to sign in first. */
	current(): Promise<OAuthSubject | undefined>;
	/** Its provider, or who takes its word, does not accept it any more. */
	refused(subject: OAuthSubject): Promise<void>;
}

/** An identity that stands in the configuration. */
export function fixedIdentity(subject: OAuthSubject): IdentitySource {
	return {
		current: () => Promise.resolve(subject),
		refused: () =>
			Promise.reject(
				new OAuthProblem(
					"The identity under `oauth.subject` is not accepted. Put a new ID token in its place.",
					"invalid_grant",
				),
			),
	};
}

/** Does work that asks an issuer for something once there is room. */
export type InLane = <Value>(issuer: string, work: () => Promise<Value>) => Promise<Value>;

/** What identities are exchanged with. */
export interface IdentityExchangeOptions {
	readonly clock: Clock;
	/** Undefined: of nobody. */
	readonly identity?: IdentitySource | undefined;
	/** What is known of providers; without it each is looked up each time. */
	readonly found?: Pick<FoundServers, "provider"> | undefined;
}

/**
 * Tokens for what a provider says of somebody: by way of an assertion that the provider itself
 * gives for the server's authorization server (ID-JAG), or from that authorization server at once.
 * The identity goes to those two and to nobody else, and never to the server that wants the token.
 */
export class IdentityExchange {
	readonly #options: IdentityExchangeOptions;
	/** Whether the person was sent to sign in because of a request that was called invalid. */
	#signs_in = false;

	constructor(options: IdentityExchangeOptions) {
		this.#options = options;
	}

	/** Rejects with `SignInRequired` where the person has to sign in first, or again. */
	async grant(
		context: TokenContext,
		grant: OAuthGrant,
		inLane: InLane,
	): Promise<TokenEndpointResponse> {
		const { issuer } = context.server;
		if (grant === "token_exchange") {
			return this.#accepted((subject) => inLane(issuer, () => exchangeAtServer(context, subject)));
		}
		const assertion = await this.#accepted((subject) =>
			inLane(subject.issuer, () => askForJag(context, subject, this.#options)),
		);
		// Why an assertion is not taken, the person can do nothing about.
		return inLane(issuer, () => presentJag(context, assertion));
	}

	/**
	 * What is got with an identity. One that is not accepted is told to whoever keeps it, who may
	 * have it renewed at once; else its person signs in anew.
	 */
	async #accepted<Value>(ask: (subject: OAuthSubject) => Promise<Value>): Promise<Value> {
		const { identity } = this.#options;
		let subject = await identity?.current();
		if (identity === undefined || subject === undefined) throw new SignInRequired(sign_in);
		for (let is_last = false; ; is_last = true) {
			try {
				const value = await ask(subject);
				this.#signs_in = false;
				return value;
			} catch (error) {
				if (!(error instanceof OAuthProblem) || !refusals.has(error.code)) throw error;
				// Called so once more after they have signed in, it is something else that is wrong.
				if (error.code === "invalid_request" && this.#signs_in) throw error;
				const { token } = subject;
				await identity.refused(subject);
				const next = is_last ? undefined : await identity.current();
				if (next === undefined || next.token === token) {
					this.#signs_in = error.code === "invalid_request";
					throw new SignInRequired(sign_in, error.code);
				}
				subject = next;
			}
		}
	}
}

/** How an identity is refused: as RFC 8693 section 2.2.2 has it, and as other grants are. */
const refusals: ReadonlySet<string | undefined> = new Set(["invalid_grant", "invalid_request"]);

/** The draft's section 4.3: the provider decides whether the person may use the server. */
async function askForJag(
	context: TokenContext,
	subject: OAuthSubject,
	{ clock, found }: IdentityExchangeOptions,
): Promise<string> {
	const { server, resource, scopes } = context;
	const { issuer } = subject;
	const fetch = guardedFetch({ near: issuer, clock });
	const provider = await (found?.provider(issuer, fetch) ?? serverMetadata(issuer, fetch));
	if (provider === undefined) {
		throw new OAuthProblem(
			`The identity provider ${originOf(subject.issuer)} publishes no metadata. ` +
				"Check its address, or try again later.",
		);
	}
	const auth = await authAt(provider, subject);
	const parameters = {
		requested_token_type: id_jag_type,
		audience: server.issuer,
		resource,
		...(scopes.length > 0 && { scope: scopes.join(" ") }),
		subject_token: subject.token,
		subject_token_type: id_token_type,
	};
	const client = { client_id: subject.client_id };
	const options = {
		// The guard decides where plain http is acceptable.
		[allowInsecureRequests]: true,
		[customFetch]: (
			url: string,
			{ body, headers }: { body?: unknown; headers: Record<string, string> },
		) => fetch(url, { method: "POST", headers, body: String(body) }),
	};
	try {
		const grant = token_exchange;
		const sent = await genericTokenEndpointRequest(
			provider,
			client,
			auth,
			grant,
			parameters,
			options,
		);
		// What comes back is no access token, and is marked so (RFC 8693 section 2.2.1).
		const known = { recognizedTokenTypes: { n_a: () => undefined } };
		const answer = await processGenericTokenEndpointResponse(provider, client, sent, known);
		const { access_token } = answer;
		if (answer["issued_token_type"] === id_jag_type && access_token.length <= assertion_chars_max) {
			return access_token;
		}
	} catch (error) {
		throw problemOf(provider, error, "The identity provider");
	}
	throw new OAuthProblem(
		`The identity provider ${originOf(subject.issuer)} gave no assertion (ID-JAG). ` +
			"Have whoever runs it allow that for this server.",
	);
}

/** RFC 7523 section 2.1. */
function presentJag(context: TokenContext, assertion: string): Promise<TokenEndpointResponse> {
	return askFor(context, jwt_bearer, { assertion, ...scopeOf(context) });
}

/** RFC 8693 section 2.1. */
function exchangeAtServer(
	context: TokenContext,
	{ token }: OAuthSubject,
): Promise<TokenEndpointResponse> {
	return askFor(context, token_exchange, {
		requested_token_type: access_token_type,
		subject_token: token,
		subject_token_type: id_token_type,
		...scopeOf(context),
	});
}

function scopeOf({ scopes }: TokenContext): Record<string, string> {
	return scopes.length > 0 ? { scope: scopes.join(" ") } : {};
}

function authAt(provider: AuthorizationServer, subject: OAuthSubject): Promise<ClientAuth> {
	const { client_id, client_secret } = subject;
	const registration = { client_id, client_secret, auth_method: undefined };
	return clientAuth({ private_key: undefined }, provider, registration);
}

const sign_in = "Whoever calls has to sign in at their identity provider first.";
