import type { Preset } from "./preset.ts";

/**
 * The metadata of its MCP server is that of an issuer with another name. The API wants an
 * `audience`, gives a refresh token for `offline_access` only, and a new one at every use.
 */
export const atlassian: Preset = {
	title: "Atlassian",
	documentation: "https://developer.atlassian.com/cloud/jira/platform/oauth-2-3lo-apps/",
	register_at: "https://developer.atlassian.com/console/myapps/",
	mcp: {
		url: "https://mcp.atlassian.com/v1/mcp",
		hosts: ["mcp.atlassian.com"],
		issuer: "https://cf.mcp.atlassian.com",
		registration: "by_itself",
		scopes: [],
	},
	api: {
		issuer: "https://auth.atlassian.com",
		endpoints: { authorization: "/authorize", token: "/oauth/token" },
		registration: "by_hand",
		scopes: "to be named",
		extra_scopes: ["offline_access"],
		authorization_parameters: { audience: "api.atlassian.com", prompt: "consent" },
		client_auth: "client_secret_post",
		token_body: "json",
		pkce: "ignored",
		resource: "omitted",
	},
};
