import type { Preset } from "./preset.ts";

/** Its MCP server is an authorization server of its own, beside that of the API. */
export const sentry: Preset = {
	title: "Sentry",
	documentation: "https://docs.sentry.io/product/sentry-mcp/",
	register_at: "https://sentry.io/settings/account/api/applications/",
	mcp: {
		url: "https://mcp.sentry.dev/mcp",
		hosts: ["mcp.sentry.dev"],
		issuer: "https://mcp.sentry.dev",
		registration: "by_itself",
		scopes: [],
	},
	api: {
		issuer: "https://sentry.io",
		endpoints: { authorization: "/oauth/authorize/", token: "/oauth/token/" },
		registration: "by_hand",
		scopes: ["org:read", "project:read", "event:read"],
		client_auth: "client_secret_post",
		resource: "omitted",
	},
};
