import * as z from "zod";

const scope = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._:/-]{0,127}$/, "scope");
const host_pattern = z.string().min(1).max(253);

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
		.describe("Scopes that clients may ask for, beside `mcp` which every token has."),
});
