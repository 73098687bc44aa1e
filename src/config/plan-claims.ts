/** From which claims of a token a principal is made. */
export interface ClaimsPlan {
	readonly tenant:
		| { readonly kind: "fixed"; readonly name: string }
		/** `allowed`: patterns of tenants the issuer speaks for; empty allows every one. */
		| { readonly kind: "claim"; readonly claim: string; readonly allowed: readonly string[] };
	readonly user: string;
	/** Undefined: `client_id`, or what large issuers have instead. */
	readonly client: string | undefined;
	/** Undefined: tokens give no roles. */
	readonly roles: string | undefined;
	/** What the values of the roles claim are called here; undefined: as they are. */
	readonly role_names: Readonly<Record<string, string>> | undefined;
	/** Undefined: `scope`, else `scp`. */
	readonly scopes: string | undefined;
}
