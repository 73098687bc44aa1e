import type { ClaimsPlan } from "./plan-claims.ts";
import type { LoginPlan, ProviderPlan } from "./plan-login.ts";

/** An API key as it is configured: its hash only. */
export interface ApiKeyPlan {
	readonly name: string;
	/** SHA-256 of the key, in hex. */
	readonly hash: string;
	readonly tenant: string;
	readonly user: string;
	readonly roles: readonly string[];
	/** What its holder is limited to; undefined: nothing. */
	readonly scopes: readonly string[] | undefined;
	/** Wall-clock milliseconds from which on it is refused; undefined: never. */
	readonly expires_at_ms: number | undefined;
}

/** How an issuer is asked about tokens that only it can read (RFC 7662). */
export interface IntrospectionPlan {
	/** Undefined: as the issuer's metadata says. */
	readonly url: string | undefined;
	readonly client_id: string;
	readonly client_secret: string;
}

/** An issuer of access tokens. */
export interface IssuerPlan {
	/** Exactly what stands in `iss`. */
	readonly issuer: string;
	/** Audiences that are good at every address, beside that of the address itself. */
	readonly audiences: readonly string[];
	/** Address of its key set; undefined: as its metadata says. */
	readonly jwks: string | undefined;
	readonly algorithms: readonly string[];
	/** `at+jwt`: only tokens that are marked as access tokens (RFC 9068). */
	readonly token_types: "at+jwt" | "any";
	/** `required`: only tokens that are bound to a key (RFC 9449). */
	readonly dpop: "accepted" | "required";
	readonly introspection: IntrospectionPlan | undefined;
	readonly claims: ClaimsPlan;
	/** How people sign in there to the gateway's own pages; undefined: not there. */
	readonly sign_in: IssuerSignInPlan | undefined;
}

/** Who this gateway is at an issuer at which people sign in; its claims are those of its tokens. */
export type IssuerSignInPlan = Omit<ProviderPlan, "issuer" | "claims">;

/** Who the holder of a client certificate is. */
export interface CertificatePlan {
	readonly name: string;
	readonly match: /** SHA-256 of the certificate, lower-case hex. */
		| { readonly kind: "fingerprint"; readonly value: string }
		| { readonly kind: "common_name"; readonly value: string }
		/** An alternative name with its type: `URI:spiffe://mesh/agent`. */
		| { readonly kind: "name"; readonly value: string };
	readonly tenant: string;
	readonly user: string;
	readonly roles: readonly string[];
	readonly scopes: readonly string[] | undefined;
}

/** Who may call. */
export interface IdentityPlan {
	readonly keys: readonly ApiKeyPlan[];
	readonly issuers: readonly IssuerPlan[];
	readonly certificates: readonly CertificatePlan[];
	/** Scopes that every call needs. */
	readonly scopes: readonly string[];
	/** Whether proofs of keys have to carry a nonce of ours (RFC 9449 sections 8 and 9). */
	readonly dpop_nonces: "off" | "required";
	/** Undefined: there is no authorization server here. */
	readonly login: LoginPlan | undefined;
}
