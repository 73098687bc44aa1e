import type { Preset, PresetFacts } from "./preset.ts";

/**
 * Nobody registers by itself. Errors come with status 200, and only apps of the newer kind, and
 * only those with expiring tokens, give a refresh token: the others' tokens last until they are
 * taken back. Tokens are taken back on a page of the service, not by RFC 7009.
 */
const facts: PresetFacts = {
	issuer: "https://github.com/login/oauth",
	endpoints: { authorization: "/authorize", token: "/access_token" },
	registration: "by_hand",
	scopes: ["repo", "read:org", "read:user"],
	client_auth: "client_secret_post",
	resource: "omitted",
	error_codes: {
		bad_verification_code: "invalid_grant",
		bad_refresh_token: "invalid_grant",
		incorrect_client_credentials: "invalid_client",
		redirect_uri_mismatch: "invalid_request",
	},
};

/** GitHub, and GitHub Enterprise with another `issuer`. */
export const github: Preset = {
	title: "GitHub",
	documentation: "https://docs.github.com/en/apps/oauth-apps/building-oauth-apps",
	register_at: "https://github.com/settings/developers",
	mcp: {
		...facts,
		url: "https://api.githubcopilot.com/mcp/",
		hosts: ["api.githubcopilot.com"],
	},
	api: facts,
};
