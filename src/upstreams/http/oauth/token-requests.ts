import {
	type AuthorizationServer,
	allowInsecureRequests,
	authorizationCodeGrantRequest,
	type Client,
	type ClientAuth,
	calculatePKCECodeChallenge,
	clientCredentialsGrantRequest,
	customFetch,
	generateRandomCodeVerifier,
	generateRandomState,
	genericTokenEndpointRequest,
	processAuthorizationCodeResponse,
	processClientCredentialsResponse,
	processGenericTokenEndpointResponse,
	processRefreshTokenResponse,
	ResponseBodyError,
	refreshTokenGrantRequest,
	type TokenEndpointResponse,
	validateAuthResponse,
} from "oauth4webapi";
import type { OAuthService } from "../../../config/oauth-service.ts";
import { type GuardedFetch, RefusedAddress } from "../../../lib/guarded-fetch.ts";
import { OAuthProblem, originOf } from "./oauth-problem.ts";
import { isFrom, pageParameters, standardAnswer, tokenRequestOf } from "./service.ts";

/** Shows an authorization page to a person; resolves with the address it led back to. */
export type Authorize = (url: URL, state: string) => Promise<URL>;

/** What every token request is made with. */
export interface TokenContext {
	readonly server: AuthorizationServer;
	readonly client: Client;
	readonly auth: ClientAuth;
	readonly resource: string;
	readonly scopes: readonly string[];
	readonly fetch: GuardedFetch;
	/** What is known of the service, where a preset is used. */
	readonly service?: OAuthService | undefined;
}

/** A token for a person, by authorization code with PKCE (RFC 7636, RFC 8707, RFC 9207). */
export async function codeGrant(
	context: TokenContext,
	redirect_uri: string,
	authorize: Authorize,
): Promise<TokenEndpointResponse> {
	const { server, client, scopes, service } = context;
	const origin = originOf(server.issuer);
	const has_pkce = server.code_challenge_methods_supported?.includes("S256") === true;
	if (!has_pkce && service?.pkce !== "ignored") {
		throw new OAuthProblem(
			`Its authorization server ${origin} does not support PKCE with S256, so no ` +
				"authorization was asked for. Report this to whoever runs it.",
		);
	}
	const verifier = generateRandomCodeVerifier();
	const state = generateRandomState();
	const url = pageOf(server);
	const parameters = {
		response_type: "code",
		client_id: client.client_id,
		redirect_uri,
		state,
		code_challenge: await calculatePKCECodeChallenge(verifier),
		code_challenge_method: "S256",
		...resourceOf(context),
		...pageParameters(service, scopes),
	};
	for (const [name, value] of Object.entries(parameters)) url.searchParams.set(name, value);
	const callback = await authorize(url, state);
	const answer = checkCallback(context, callback, state);
	return asking(server, async () => {
		const response = await authorizationCodeGrantRequest(
			server,
			client,
			context.auth,
			answer,
			redirect_uri,
			verifier,
			optionsOf(context),
		);
		return processAuthorizationCodeResponse(server, client, response);
	});
}

/** A token for ourselves (RFC 6749 section 4.4). */
export function credentialsGrant(context: TokenContext): Promise<TokenEndpointResponse> {
	const { server, client, auth, scopes } = context;
	const scope = scopes.length > 0 && { scope: scopes.join(" ") };
	const parameters = { ...resourceOf(context), ...scope };
	return asking(server, async () => {
		const options = optionsOf(context);
		const response = await clientCredentialsGrantRequest(server, client, auth, parameters, options);
		return processClientCredentialsResponse(server, client, response);
	});
}

/** A token by a grant of another kind, with what it has to be asked with. */
export function askFor(
	context: TokenContext,
	grant: string,
	parameters: Readonly<Record<string, string>>,
): Promise<TokenEndpointResponse> {
	const { server, client, auth } = context;
	const all = { ...resourceOf(context), ...parameters };
	return asking(server, async () => {
		const options = optionsOf(context);
		const sent = await genericTokenEndpointRequest(server, client, auth, grant, all, options);
		return processGenericTokenEndpointResponse(server, client, sent);
	});
}

/**
 * A new token for an old one, or that the old one is not accepted any more, or not even our client
 * known. Only what says so outright ends a grant (RFC 6749 section 5.2): everything else, such as
 * what a proxy in front of the server says, throws an `OAuthProblem`, and the old one is kept.
 */
export async function refreshGrant(
	context: TokenContext,
	refresh_token: string,
): Promise<TokenEndpointResponse | "ended" | "unknown_client"> {
	const { server, client, auth } = context;
	try {
		const options = optionsOf(context);
		const response = await refreshTokenGrantRequest(server, client, auth, refresh_token, options);
		return await processRefreshTokenResponse(server, client, response);
	} catch (error) {
		if (!(error instanceof ResponseBodyError)) throw problemOf(server, error);
		const { status, error: code } = error;
		// Whoever is asked too often may say anything, and of a status from 500 on nothing is read.
		const is_busy = status === 429;
		if (!is_busy && code === "invalid_grant") return "ended";
		if (!is_busy && code === "invalid_client") return "unknown_client";
		const { message, code: known } = problemOf(server, error);
		throw new OAuthProblem(`${message} ${if_it_stays}`, known);
	}
}

/** A grant that is kept although it cannot be renewed is for its person to end. */
const if_it_stays =
	"If it stays so, end the authorization on the page /oauth/connect or with " +
	"`moorage grant revoke`, and connect anew.";

/** The page where a person decides: an http or https address, whatever the server says. */
function pageOf(server: AuthorizationServer): URL {
	const url = URL.parse(server.authorization_endpoint ?? "");
	if (url !== null && ["http:", "https:"].includes(url.protocol)) return url;
	throw new OAuthProblem(
		`Its authorization server ${originOf(server.issuer)} has no page where a person can ` +
			"decide. If it is for programs, set `grant: client_credentials` under `oauth`.",
	);
}

function checkCallback(context: TokenContext, callback: URL, state: string): URLSearchParams {
	const { server, client, service } = context;
	const origin = originOf(server.issuer);
	const answer = new URL(callback);
	const iss = answer.searchParams.get("iss");
	// RFC 9207 section 2.4, before anything else of the answer is looked at.
	const is_foreign =
		iss === null
			? server.authorization_response_iss_parameter_supported === true
			: !isFrom(iss, server.issuer, service);
	if (is_foreign) {
		throw new OAuthProblem(
			`The answer to the authorization did not come from ${origin}, so it was not used. ` +
				"Somebody may be mixing up servers: check the server's address before trying again.",
		);
	}
	if (iss !== null) answer.searchParams.set("iss", server.issuer);
	try {
		return validateAuthResponse(server, client, answer, state);
	} catch {
		throw new OAuthProblem(
			`${origin} did not give the authorization. Open the authorization page again, and ` +
				"check there what is asked for.",
		);
	}
}

function optionsOf(context: TokenContext) {
	const { server, fetch, service } = context;
	return {
		// RFC 8707: in every token request, and exactly once.
		additionalParameters: resourceOf(context),
		// The guarded fetch decides itself where plain http is acceptable.
		[allowInsecureRequests]: true,
		[customFetch]: async (
			url: string,
			init: { body?: unknown; headers: Record<string, string> },
		) => {
			const form = init.body instanceof URLSearchParams ? init.body : new URLSearchParams();
			const { body, headers } = tokenRequestOf(service, form);
			const all = { ...init.headers, ...headers };
			return standardAnswer(service, await fetch(url, { method: "POST", headers: all, body }));
		},
		server,
	};
}

function resourceOf({ resource, service }: TokenContext): { resource?: string } {
	return service?.resource === "omitted" ? {} : { resource };
}

async function asking<Value>(
	server: AuthorizationServer,
	ask: () => Promise<Value>,
): Promise<Value> {
	try {
		return await ask();
	} catch (error) {
		throw problemOf(server, error);
	}
}

const standard_codes = [
	...["invalid_client", "invalid_grant", "invalid_scope", "invalid_target", "invalid_request"],
	...["unauthorized_client", "unsupported_grant_type", "access_denied"],
];

/** Only a standard error code of the answer is repeated, never its text. */
export function problemOf(
	server: AuthorizationServer,
	error: unknown,
	who = "Its authorization server",
): OAuthProblem {
	if (error instanceof OAuthProblem) return error;
	const codes = standard_codes;
	const code =
		error instanceof ResponseBodyError && codes.includes(error.error) ? error.error : undefined;
	const why = code ?? (error instanceof RefusedAddress ? `it ${error.message}` : "no valid answer");
	return new OAuthProblem(
		`${who} ${originOf(server.issuer)} gave no token (${why}). ` +
			"Check the settings under `oauth`, or try again later.",
		code,
	);
}
