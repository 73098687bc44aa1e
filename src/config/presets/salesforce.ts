import type { Preset, PresetFacts } from "./preset.ts";

/**
 * An answer says nothing of how long its token is good: that is a setting of the organization. It
 * is renewed once it is refused. For a refresh token there is a scope of that name.
 */
const facts: Omit<PresetFacts, "scopes"> = {
	issuer: "https://login.salesforce.com",
	endpoints: {
		authorization: "/services/oauth2/authorize",
		token: "/services/oauth2/token",
		revocation: "/services/oauth2/revoke",
	},
	registration: "by_hand",
	extra_scopes: ["refresh_token"],
	client_auth: "client_secret_post",
	resource: "omitted",
};

/** Salesforce; a domain of one's own, or that of sandboxes, is another `issuer`. */
export const salesforce: Preset = {
	title: "Salesforce",
	documentation: "https://developer.salesforce.com/docs/platform/hosted-mcp-servers/guide/",
	register_at: "Setup, External Client App Manager",
	mcp: {
		...facts,
		url: "https://api.salesforce.com/platform/mcp/v1/platform/sobject-all",
		hosts: ["api.salesforce.com"],
		scopes: ["mcp_api"],
	},
	api: { ...facts, scopes: ["api"] },
};
