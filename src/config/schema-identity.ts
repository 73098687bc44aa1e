import * as z from "zod";
import { login_schema, provider_client } from "./schema-login.ts";
import { accepted_algorithms } from "./token-algorithms.ts";

/** How a principal's part of a key is written: also a part of folder names and log lines. */
const principal_part = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._@+-]{0,63}$/, "principal");
/** A role, or a scope (RFC 6749 section 3.3): both stand in headers and lists between spaces. */
export const scope_word = z.string().regex(/^[!#-[\]-~]{1,128}$/, "word");
const word = scope_word;
const claim = z.string().min(1).max(256);

/** Whose credential it is. */
const person = {
	tenant: principal_part
		.optional()
		.describe("The tenant its holder belongs to; `default` where not given."),
	user: principal_part
		.optional()
		.describe("The person it belongs to; the entry's name where not given."),
	roles: z.array(word).default([]).describe("What its holder is: `admin`, `operator`, …"),
	scopes: z
		.array(word)
		.optional()
		.describe("Scopes that its holder is limited to; without them there is no such limit."),
};

const api_key_schema = z.strictObject({
	name: z.string().min(1).describe("What people call the key: `alice-laptop`. Required."),
	hash: z
		.string("key-hash")
		.regex(/^sha256:[0-9a-f]{64}$/, "key-hash")
		.describe("Hash of the key, as `moorage key new` prints it. The key itself is kept nowhere."),
	...person,
	expires: z
		.string("date")
		.regex(/^\d{4}-\d{2}-\d{2}(T\d{2}:\d{2}:\d{2}Z)?$/, "date")
		.optional()
		.describe("The day (`2027-01-31`), or the moment, from which on it is refused."),
});

const claims_schema = z.strictObject({
	tenant: claim.optional().describe("The claim that names the tenant, in place of `tenant`."),
	user: claim
		.default("sub")
		.describe("The claim that names the person. An `email` counts only with `email_verified`."),
	client: claim
		.optional()
		.describe("The claim that names the client; where not given, `client_id`, `azp` and the like."),
	roles: claim
		.optional()
		.describe("The claim with roles: `groups`, `realm_access.roles`. None where not given."),
	scopes: claim.optional().describe("The claim with scopes; where not given, `scope` or `scp`."),
});

const introspection_schema = z.strictObject({
	url: z.string().optional().describe("Where to ask; where not given, as its metadata says."),
	client_id: z.string().min(1).describe("Who Moorage is at the issuer. Required."),
	client_secret: z.string().min(1).describe("The secret that belongs to it. Required."),
});

const sign_in_schema = z
	.strictObject(provider_client)
	.describe(
		"People sign in to the dashboard there, with an ID token that has the claims named here. Send them back to `/oauth/login/callback`.",
	);

const audience = z.union([z.string().min(1), z.array(z.string().min(1))]);

const issuer_schema = z.strictObject({
	issuer: z
		.string()
		.describe("The issuer's address, exactly as in its metadata and tokens. Required."),
	audience: audience
		.default([])
		.describe(
			"Audiences of tokens that are good at every address. A token for the address itself, or for `public_url`, always is.",
		),
	jwks: z
		.string()
		.optional()
		.describe("Address of its keys; where not given, as its metadata says."),
	algorithms: z
		.array(z.enum(accepted_algorithms))
		.min(1)
		.optional()
		.describe("Signature algorithms that are accepted; all of these where not given."),
	types: z
		.enum(["at+jwt", "any"])
		.default("at+jwt")
		.describe(
			"`at+jwt`: only tokens that are marked as access tokens. `any`: also tokens of issuers that do not mark them, as long as they are no ID tokens.",
		),
	dpop: z
		.enum(["accepted", "required"])
		.default("accepted")
		.describe("`required`: only tokens that are bound to a key of their client (DPoP)."),
	introspection: introspection_schema
		.optional()
		.describe("Ask the issuer about each token, instead of checking its signature."),
	tenant: principal_part
		.optional()
		.describe("The tenant of everybody it speaks for; `default` where not given."),
	tenants: z
		.array(z.string().min(1))
		.default([])
		.describe("Patterns of the tenants that `claims.tenant` may name."),
	claims: claims_schema.prefault({}).describe("From which claims the caller is known."),
	roles: z
		.record(z.string(), word)
		.optional()
		.describe("Roles by the values of `claims.roles`; others give none. Without it, as they are."),
	sign_in: sign_in_schema.optional(),
});

const certificate_schema = z.strictObject({
	name: z.string().min(1).describe("What people call it: `billing-agent`. Required."),
	fingerprint: z
		.string()
		.regex(/^(sha256:)?[0-9A-Fa-f]{2}(:?[0-9A-Fa-f]{2}){31}$/, "fingerprint")
		.optional()
		.describe("SHA-256 of the certificate. This, `common_name` or `alternative_name`."),
	common_name: z.string().min(1).optional().describe("The common name of its subject."),
	alternative_name: z
		.string()
		.min(1)
		.optional()
		.describe("One of its alternative names: `URI:spiffe://mesh/agent`, `DNS:agent.internal`."),
	...person,
});

/** Who may call: `identity` of moorage.yaml. */
export const identity_schema = z.strictObject({
	issuer: z.string().optional().describe("Short for a single entry of `issuers`."),
	audience: audience.optional().describe("The `audience` of that entry."),
	issuers: z
		.array(issuer_schema)
		.default([])
		.describe("Authorization servers whose access tokens are accepted."),
	scopes: z.array(word).default([]).describe("Scopes that every call needs."),
	shared_tenants: z
		.array(z.string().min(1))
		.default([])
		.describe(
			"Patterns of tenants in which several of `issuers`, `keys`, `certificates` and `login` may name people, who are then the same where their names are.",
		),
	dpop_nonces: z
		.enum(["off", "required"])
		.default("off")
		.describe(
			"`required`: proofs of keys (DPoP) have to carry a nonce that was given out in the last minutes, so that none can be made ahead of time.",
		),
	certificates: z
		.array(certificate_schema)
		.default([])
		.describe("Client certificates, signed by `tls.client_ca`, and whose they are."),
	keys: z
		.array(api_key_schema)
		.default([])
		.describe("API keys, each of one person. With identity on, every call needs a credential."),
	login: login_schema
		.optional()
		.describe("An authorization server of its own, for people and clients without another one."),
});

/** An entry of `issuers`. */
export type IssuerForm = z.output<typeof issuer_schema>;
/** An entry of `certificates`. */
export type CertificateForm = z.output<typeof certificate_schema>;
