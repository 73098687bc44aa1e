import type { Preset, PresetFacts } from "./preset.ts";

/**
 * The tenant is a part of every address, and of an issuer that stands for several tenants its
 * answers name the one that it was. Its metadata says nothing of PKCE though it checks it;
 * `resource` is refused; a refresh token is given only for the scope `offline_access`.
 */
const facts: PresetFacts = {
	issuer: "https://login.microsoftonline.com/{tenant}/v2.0",
	issuer_form: "https://login.microsoftonline.com/{tenantid}/v2.0",
	endpoints: {
		authorization: "https://login.microsoftonline.com/{tenant}/oauth2/v2.0/authorize",
		token: "https://login.microsoftonline.com/{tenant}/oauth2/v2.0/token",
	},
	registration: "by_hand",
	scopes: "to be named",
	extra_scopes: ["offline_access"],
	client_auth: "client_secret_post",
	resource: "omitted",
};

/** Microsoft Entra ID, for Microsoft's own servers and whatever else takes its tokens. */
export const microsoft: Preset = {
	title: "Microsoft",
	documentation:
		"https://learn.microsoft.com/en-us/entra/identity-platform/v2-oauth2-auth-code-flow",
	register_at: "https://entra.microsoft.com",
	tenant: "organizations",
	mcp: {
		...facts,
		hosts: ["mcp.svc.cloud.microsoft", "mcp.dev.azure.com", "api.fabric.microsoft.com"],
	},
	api: facts,
};
