import type { Preset } from "./preset.ts";

/**
 * Its MCP server has metadata and lets clients register. The API is another authorization server:
 * token requests are JSON with the secret in `Authorization: Basic`, there are no scopes, and the
 * code challenge is not looked at.
 */
export const notion: Preset = {
	title: "Notion",
	documentation: "https://developers.notion.com/docs/authorization",
	register_at: "https://www.notion.so/profile/integrations",
	mcp: {
		url: "https://mcp.notion.com/mcp",
		hosts: ["mcp.notion.com"],
		issuer: "https://mcp.notion.com",
		registration: "by_itself",
		scopes: [],
	},
	api: {
		issuer: "https://api.notion.com",
		endpoints: { authorization: "/v1/oauth/authorize", token: "/v1/oauth/token" },
		registration: "by_hand",
		scopes: [],
		authorization_parameters: { owner: "user" },
		client_auth: "client_secret_basic",
		token_body: "json",
		pkce: "ignored",
		resource: "omitted",
	},
};
