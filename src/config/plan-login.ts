import type { ClaimsPlan } from "./plan-claims.ts";

/** The embedded authorization server: who may log in, and which clients may come. */
export interface LoginPlan {
	/** Whether people of the store log in with a password. */
	readonly accounts: boolean;
	/** Whether clients may register themselves (RFC 7591). */
	readonly registration: boolean;
	/** Patterns of hosts whose client-id metadata documents are accepted; empty: none. */
	readonly client_documents: readonly string[];
	/** Scopes that clients may ask for beside `mcp`. */
	readonly scopes: readonly string[];
	/** Identity providers at which people log in instead. */
	readonly federated: readonly FederatedPlan[];
}

/** An OpenID provider whose word about people is taken. */
export interface FederatedPlan {
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
	/** Whether its assertions (ID-JAG) are exchanged for tokens without a page. */
	readonly enterprise: boolean;
}
