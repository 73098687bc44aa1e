import { accepted_algorithms } from "../config/token-algorithms.ts";
import type { CredentialProblem } from "../identity/credential-problem.ts";
import { metadataUrl } from "./wellknown/resource-metadata.ts";

/** The address that a challenge is about. */
export interface ChallengedResource {
	/** Origin that clients know the gateway by. */
	readonly base: string;
	/** Path of the address, such as `/time/mcp`. */
	readonly path: string;
	/** Whether there is an authorization server to be sent to. */
	readonly has_issuers: boolean;
	/** Scopes that every call needs. */
	readonly scopes: readonly string[];
	/** Whether only tokens that are bound to a key are accepted. */
	readonly dpop_required: boolean;
}

/**
 * Value of `WWW-Authenticate` for a request that is not let in (RFC 6750 section 3, RFC 9728
 * section 5.1): where to find out who gives tokens, and what they need. An answer to a damaged
 * proof uses the scheme of proofs (RFC 9449 section 7.1).
 */
export function challengeHeader(
	{ error, message, code }: Pick<CredentialProblem, "error" | "message" | "code">,
	resource: ChallengedResource,
	scheme?: "dpop",
): string {
	const parameters = resource.has_issuers
		? [quoted("resource_metadata", metadataUrl(resource.base, resource.path))]
		: [quoted("realm", "moorage")];
	if (resource.scopes.length > 0) parameters.push(quoted("scope", resource.scopes.join(" ")));
	if (error !== undefined) {
		parameters.push(quoted("error", error), quoted("error_description", message));
	}
	const algorithms = quoted("algs", accepted_algorithms.join(" "));
	if (scheme === "dpop" || code.startsWith("dpop_"))
		return `DPoP ${[algorithms, ...parameters].join(", ")}`;
	const bearer = `Bearer ${parameters.join(", ")}`;
	return resource.has_issuers && resource.dpop_required ? `${bearer}, DPoP ${algorithms}` : bearer;
}

/**
 * Value of `WWW-Authenticate` for a token that lacks scopes: every scope that the call needs, so
 * that one more authorization is enough (RFC 6750 section 3.1).
 */
export function stepUpHeader(
	scopes: readonly string[],
	{ base, path, has_issuers }: Pick<ChallengedResource, "base" | "path" | "has_issuers">,
): string {
	const parameters = [quoted("error", "insufficient_scope"), quoted("scope", scopes.join(" "))];
	if (has_issuers) parameters.push(quoted("resource_metadata", metadataUrl(base, path)));
	const description = "The access token lacks scopes that this needs.";
	return `Bearer ${[...parameters, quoted("error_description", description)].join(", ")}`;
}

/** Values hold neither quotes nor backslashes: scopes and hosts are checked before. */
function quoted(name: string, value: string): string {
	return `${name}="${value}"`;
}
