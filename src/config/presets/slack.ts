import type { Preset, PresetFacts } from "./preset.ts";

/**
 * Errors come with status 200 and `ok: false`, and scopes have commas between them. A token of a
 * person is of the type `user`; it lasts unless the app has token rotation.
 */
const facts: Omit<PresetFacts, "endpoints"> = {
	issuer: "https://slack.com",
	registration: "by_hand",
	scopes: ["search:read.public", "search:read.users", "channels:history", "users:read"],
	scope_separator: ",",
	client_auth: "client_secret_post",
	token_types: ["user"],
	token_at: "authed_user",
	resource: "omitted",
	error_codes: {
		invalid_code: "invalid_grant",
		code_already_used: "invalid_grant",
		invalid_refresh_token: "invalid_grant",
		token_expired: "invalid_grant",
		token_revoked: "invalid_grant",
		invalid_client_id: "invalid_client",
		bad_client_secret: "invalid_client",
		bad_redirect_uri: "invalid_request",
		invalid_grant_type: "unsupported_grant_type",
		ratelimited: "temporarily_unavailable",
		service_unavailable: "temporarily_unavailable",
		request_timeout: "temporarily_unavailable",
		internal_error: "server_error",
		fatal_error: "server_error",
	},
};

/** Slack, with tokens of people and not of bots. */
export const slack: Preset = {
	title: "Slack",
	documentation: "https://docs.slack.dev/ai/slack-mcp-server",
	register_at: "https://api.slack.com/apps",
	// What its server publishes names two issuers, so nothing of it is used.
	mcp: {
		...facts,
		url: "https://mcp.slack.com/mcp",
		hosts: ["mcp.slack.com"],
		endpoints: { authorization: "/oauth/v2_user/authorize", token: "/api/oauth.v2.user.access" },
	},
	// Here `scope` would ask for a bot, and the person's token is a part of the answer.
	api: {
		...facts,
		endpoints: { authorization: "/oauth/v2/authorize", token: "/api/oauth.v2.access" },
		scope_parameter: "user_scope",
	},
};
