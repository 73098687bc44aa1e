import {
	type AuthorizationServer,
	allowInsecureRequests,
	customFetch,
	processRevocationResponse,
	ResponseBodyError,
	revocationRequest,
} from "oauth4webapi";
import type { OAuthSpec } from "../../../config/plan.ts";
import type { Clock } from "../../../lib/clock.ts";
import { type GuardedFetch, guardedFetch } from "../../../lib/guarded-fetch.ts";
import { clientAuth } from "./client-auth.ts";
import { serverMetadata } from "./discovery.ts";
import { knownServer } from "./service.ts";
import type { Grant, Registration } from "./token-store.ts";

/** What became of telling an authorization server that a grant has ended. */
export type IssuerOutcome =
	/** It takes the tokens no more. */
	| "revoked"
	/** It has nothing to be told at: what it gave ends by itself, or on its own page. */
	| "not_offered"
	/** It could not be told: it may be out of order, or does not know our client any more. */
	| "failed";

/** A grant that has ended here. */
export interface EndedGrant {
	/** For which server. */
	readonly server: string;
	readonly grant: Grant;
	/**
	 * Who the client of the configuration is, where the grant was given to that one; undefined where
	 * it does not stand there any more.
	 */
	readonly spec: OAuthSpec | undefined;
}

/** What an authorization server was told. */
export interface ToldIssuer {
	readonly server: string;
	readonly issuer: string;
	readonly outcome: IssuerOutcome;
}

/** How long all of it may take: whoever ends something waits for the answer. */
const tell_ms_max = 10_000;
/** How many are told at one time. */
const tells_at_once = 8;

/**
 * Tells the authorization servers that grants have ended (RFC 7009). What is in our own store is
 * gone by then, so this is a favour to the person: it is tried once, in bounded time, and never
 * fails. Every grant given has an outcome, in the same order.
 */
export async function tellIssuers(
	ended: readonly EndedGrant[],
	clock: Clock,
): Promise<ToldIssuer[]> {
	const late = new AbortController();
	const timer = clock.after(tell_ms_max, () => late.abort());
	const outcomes: IssuerOutcome[] = ended.map(() => "failed");
	let next = 0;
	const work = async () => {
		for (let at = next; at < ended.length && !late.signal.aborted; at = next) {
			next += 1;
			outcomes[at] = await tell(ended[at] as EndedGrant, clock, late.signal).catch(() => "failed");
		}
	};
	try {
		await Promise.all(Array.from({ length: Math.min(tells_at_once, ended.length) }, work));
	} finally {
		timer.cancel();
	}
	return ended.map(({ server, grant: { issuer } }, at) => {
		return { server, issuer, outcome: outcomes[at] ?? "failed" };
	});
}

async function tell(
	{ grant, spec }: EndedGrant,
	clock: Clock,
	signal: AbortSignal,
): Promise<IssuerOutcome> {
	// The resource is where the configuration led to, whatever its issuer says of itself.
	const guarded = guardedFetch({ near: grant.resource, clock });
	const fetch: GuardedFetch = (url, init) => guarded(url, { ...init, signal });
	const service = spec?.service?.issuer === grant.issuer ? spec.service : undefined;
	const server = knownServer(service) ?? (await serverMetadata(grant.issuer, fetch));
	if (server?.revocation_endpoint === undefined) return "not_offered";
	const registration = grant.registration ?? configured(spec);
	if (registration === undefined) return "failed";
	const revoke = async (token: string, hint: string) => {
		const auth = await clientAuth(spec ?? no_spec, withMethods(server), registration);
		const { client_id } = registration;
		const response = await revocationRequest(server, { client_id }, auth, token, {
			additionalParameters: { token_type_hint: hint },
			// The guarded fetch decides itself where plain http is acceptable.
			[allowInsecureRequests]: true,
			[customFetch]: (url, { body, headers }) =>
				fetch(url, { method: "POST", headers, body: body.toString() }),
		});
		await processRevocationResponse(response);
	};
	const { access_token, refresh_token } = grant;
	// A refresh token ends everything that came of it, where both are of one grant (section 2.1),
	// but not everywhere; and an access token may be of a kind that cannot be taken back.
	if (refresh_token !== undefined) await revoke(refresh_token, "refresh_token");
	try {
		await revoke(access_token, "access_token");
	} catch (error) {
		// Some say so of a token that ended with the one before, where section 2.2 wants a success.
		if (isError(error, "invalid_token")) return "revoked";
		if (!isError(error, "unsupported_token_type")) throw error;
		return refresh_token === undefined ? "not_offered" : "revoked";
	}
	return "revoked";
}

/** RFC 8414: how the endpoint is told who asks may be said apart from the token endpoint. */
function withMethods(server: AuthorizationServer): AuthorizationServer {
	const methods = server.revocation_endpoint_auth_methods_supported;
	return methods === undefined
		? server
		: { ...server, token_endpoint_auth_methods_supported: methods };
}

function configured(spec: OAuthSpec | undefined): Registration | undefined {
	if (spec?.client_id === undefined) return undefined;
	const { client_id, client_secret } = spec;
	return { client_id, client_secret, auth_method: undefined };
}

function isError(error: unknown, code: string): boolean {
	return error instanceof ResponseBodyError && error.error === code;
}

/** A client that registered itself has no other credentials than its registration. */
const no_spec = { private_key: undefined } as const;
