import { accepted_algorithms } from "../../config/token-algorithms.ts";

/** Where the metadata of resources is (RFC 9728 section 3). */
export const metadata_path = "/.well-known/oauth-protected-resource";

/** What is told about a resource. */
export interface ResourceFacts {
	/** Origin that clients know the gateway by. */
	readonly base: string;
	/** Path of the address, such as `/time/mcp`; empty for the gateway as a whole. */
	readonly path: string;
	/** Issuers whose tokens are accepted; at least one. */
	readonly issuers: readonly string[];
	/** Scopes that every call needs. */
	readonly scopes: readonly string[];
	/** Whether only tokens that are bound to a key are accepted. */
	readonly dpop_required: boolean;
}

/** The metadata document of a protected resource (RFC 9728 section 2). */
export function resourceMetadata(facts: ResourceFacts): object {
	const { base, path, issuers, scopes, dpop_required } = facts;
	return {
		resource: base + path,
		authorization_servers: issuers,
		bearer_methods_supported: ["header"],
		...(scopes.length === 0 ? {} : { scopes_supported: scopes }),
		resource_name: "Moorage",
		dpop_signing_alg_values_supported: accepted_algorithms,
		...(dpop_required ? { dpop_bound_access_tokens_required: true } : {}),
	};
}

/** Where the metadata of an address is: its path comes last (RFC 9728 section 3.1). */
export function metadataUrl(base: string, path: string): string {
	return base + metadata_path + path;
}
