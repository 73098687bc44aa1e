import type { Preset } from "./preset.ts";

/** Scopes of its API have commas between them, and its refresh tokens are good once. */
export const linear: Preset = {
	title: "Linear",
	documentation: "https://linear.app/developers/oauth-2-0-authentication",
	register_at: "https://linear.app/settings/api/applications/new",
	mcp: {
		url: "https://mcp.linear.app/mcp",
		hosts: ["mcp.linear.app"],
		issuer: "https://mcp.linear.app",
		registration: "by_itself",
		scopes: [],
	},
	api: {
		issuer: "https://linear.app",
		endpoints: {
			authorization: "https://linear.app/oauth/authorize",
			token: "https://api.linear.app/oauth/token",
			revocation: "https://api.linear.app/oauth/revoke",
		},
		registration: "by_hand",
		scopes: ["read"],
		scope_separator: ",",
		client_auth: "client_secret_post",
		resource: "omitted",
	},
};
