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
}
