import type { ClaimsPlan } from "./plan-claims.ts";

/** The embedded authorization server: who may log in, and which clients may come. */
export interface LoginPlan {
	/** Whether people of the store log in with a password. */
	readonly accounts: boolean;
	/** Whether clients may register themselves (RFC 7591). */
	readonly registration: boolean;
	/** Patterns of hosts whose client-id metadata documents are accepted; empty: none. */
	readonly client_documents: readonly string[];
	/** Scopes that clients may ask for beside `mcp`: those listed for it, and those calls need. */
	readonly scopes: readonly string[];
	/** Whether proofs of keys have to carry a nonce of ours (RFC 9449 section 8). */
	readonly dpop_nonces: "off" | "required";
	/** Identity providers at which people log in instead. */
	readonly federated: readonly FederatedPlan[];
}

/** An OpenID provider at which people log in. */
export interface ProviderPlan {
	/** Stands in addresses and in the store. */
	readonly name: string;
	/** What people know it as. */
	readonly title: string;
	/** Exactly what stands in `iss`. */
	readonly issuer: string;
	/** Who this gateway is there. */
	readonly client_id: string;
	/** Undefined for a public client. */
	readonly client_secret: string | undefined;
	readonly scopes: readonly string[];
	readonly claims: ClaimsPlan;
}

/** A provider whose word about people is taken: whoever it vouches for is a person of the store. */
export interface FederatedPlan extends ProviderPlan {
	/** Whether its assertions (ID-JAG) are exchanged for tokens without a page. */
	readonly enterprise: boolean;
}
