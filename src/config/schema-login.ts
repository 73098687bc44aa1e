import * as z from "zod";

const scope = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._:/-]{0,127}$/, "scope");
const host_pattern = z.string().min(1).max(253);

const principal_part = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._@+-]{0,63}$/, "principal");
const claim = z.string().min(1).max(256);
const word = z.string().regex(/^[!#-[\]-~]{1,128}$/, "word");

/** Who this gateway is at an OpenID provider. */
export const provider_client = {
	name: z
		.string()
		.regex(/^[a-z0-9][a-z0-9-]{0,31}$/, "name")
		.describe("A short name, which stands in addresses. Required."),
	title: z.string().min(1).max(64).optional().describe("What people know it as."),
	client_id: z.string().min(1).describe("Who this gateway is there. Required."),
	client_secret: z.string().min(1).optional().describe("The secret that belongs to `client_id`."),
	scopes: z.array(scope).default(["openid", "profile", "email"]).describe("What it is asked for."),
};

const federated_schema = z.strictObject({
	name: provider_client.name,
	title: provider_client.title,
	issuer: z.string().describe("The provider's address, exactly as in its metadata. Required."),
	client_id: provider_client.client_id,
	client_secret: provider_client.client_secret,
	scopes: provider_client.scopes,
	tenant: principal_part
		.optional()
		.describe("The tenant of everybody it speaks for; `default` where not given."),
	tenants: z
		.array(z.string().min(1))
		.default([])
		.describe("Patterns of the tenants that `claims.tenant` may name."),
	claims: z
		.strictObject({
			tenant: claim.optional().describe("The claim that names the tenant, in place of `tenant`."),
			user: claim
				.default("email")
				.describe("The claim that names the person. An `email` counts only with `email_verified`."),
			roles: claim.optional().describe("The claim with roles, such as `groups`."),
		})
		.prefault({})
		.describe("From which claims a person is known, when they come for the first time."),
	roles: z
		.record(z.string(), word)
		.optional()
		.describe("Roles by the values of `claims.roles`; others give none. Without it, as they are."),
	enterprise: z
		.boolean()
		.default(false)
		.describe("Whether clients may exchange its assertions (ID-JAG) for tokens, without a page."),
});

/** The embedded authorization server: `identity.login` of moorage.yaml. */
export const login_schema = z.strictObject({
	accounts: z
		.boolean()
		.default(true)
		.describe("Whether people that `moorage user add` made log in with their password."),
	registration: z
		.boolean()
		.default(false)
		.describe(
			"Whether clients may register themselves. Off: only clients with a metadata document, and those that `moorage client add` made.",
		),
	client_documents: z
		.union([z.boolean(), z.array(host_pattern).min(1)])
		.default(true)
		.describe(
			"Clients whose id is the address of a document that describes them: `true` for all, `false` for none, or patterns of the hosts that may have one.",
		),
	scopes: z
		.array(scope)
		.default([])
		.describe(
			"Scopes that clients may ask for, beside `mcp` which every token has, `identity.scopes`, and those of tools.",
		),
	federated: z
		.array(federated_schema)
		.default([])
		.describe("Identity providers (OpenID Connect) at which people log in instead."),
});
