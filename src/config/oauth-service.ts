/**
 * What is known of a service's authorization server beside what it tells itself, and how it departs
 * from the standards: data of a preset, with its variables filled in.
 */
export interface OAuthService {
	/** The preset that it comes from. */
	readonly preset: string;
	readonly issuer: string;
	/**
	 * Where its metadata is not asked for, because there is none or because it is of no use;
	 * undefined where the server leads to it.
	 */
	readonly endpoints?: OAuthEndpoints | undefined;
	/**
	 * A form of `iss` that it may answer with in the place of the issuer: `{tenantid}` in it stands
	 * for any UUID.
	 */
	readonly issuer_form?: string | undefined;
	/** What stands between scopes; RFC 6749 has a space. */
	readonly scope_separator?: "," | undefined;
	/** What scopes are called in the address of its page; RFC 6749 has `scope`. */
	readonly scope_parameter?: "user_scope" | undefined;
	/** Scopes that it wants for something of its own, such as a refresh token. */
	readonly extra_scopes?: readonly string[] | undefined;
	/** What it wants in the address of its page beside the standard. */
	readonly authorization_parameters?: Readonly<Record<string, string>> | undefined;
	/** How the token endpoint is told who asks. */
	readonly client_auth?: "client_secret_basic" | "client_secret_post" | undefined;
	/** How a token request is written; RFC 6749 has a form. */
	readonly token_body?: "json" | undefined;
	/** The member of a token answer in which the token of the person is. */
	readonly token_at?: string | undefined;
	/** What it calls a bearer token; RFC 6750 has `bearer`. */
	readonly token_types?: readonly string[] | undefined;
	/** Its own error codes, as those of RFC 6749 section 5.2. */
	readonly error_codes?: Readonly<Record<string, string>> | undefined;
	/**
	 * `ignored`: it does not look at the code challenge of PKCE. Its client has a secret, so that a
	 * code is of no use to others.
	 */
	readonly pkce?: "ignored" | undefined;
	/** Whether it is told for which resource a token is (RFC 8707): some refuse to hear of it. */
	readonly resource?: "omitted" | undefined;
}

/** The addresses of an authorization server. */
export interface OAuthEndpoints {
	readonly authorization: string;
	readonly token: string;
	/** RFC 7009. */
	readonly revocation?: string | undefined;
}
