import type { Preset } from "./preset.ts";

/**
 * Its MCP server lets clients register, and those that did may ask for the scope `mcp` alone, while
 * its metadata lists all that there are. Refresh tokens are good once.
 */
export const gitlab: Preset = {
	title: "GitLab",
	documentation: "https://docs.gitlab.com/user/gitlab_duo/model_context_protocol/mcp_server/",
	register_at: "https://gitlab.com/-/user_settings/applications",
	mcp: {
		url: "https://gitlab.com/api/v4/mcp",
		hosts: ["gitlab.com"],
		issuer: "https://gitlab.com",
		registration: "by_itself",
		scopes: ["mcp"],
	},
	api: {
		issuer: "https://gitlab.com",
		endpoints: {
			authorization: "/oauth/authorize",
			token: "/oauth/token",
			revocation: "/oauth/revoke",
		},
		registration: "by_hand",
		scopes: ["read_user", "read_api"],
		client_auth: "client_secret_post",
		resource: "omitted",
	},
};
