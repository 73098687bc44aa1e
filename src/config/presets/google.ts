import type { Preset, PresetFacts } from "./preset.ts";

/**
 * A refresh token is given only for `access_type=offline`, and again only where the person agrees
 * again (`prompt=consent`). Which scopes are needed depends on the server, so they are to be named.
 */
const facts: PresetFacts = {
	issuer: "https://accounts.google.com",
	endpoints: {
		authorization: "https://accounts.google.com/o/oauth2/v2/auth",
		token: "https://oauth2.googleapis.com/token",
		revocation: "https://oauth2.googleapis.com/revoke",
	},
	registration: "by_hand",
	scopes: "to be named",
	authorization_parameters: { access_type: "offline", prompt: "consent" },
	client_auth: "client_secret_post",
	resource: "omitted",
};

/** Google: each of its products has a server, such as `https://gmailmcp.googleapis.com/mcp/v1`. */
export const google: Preset = {
	title: "Google",
	documentation: "https://developers.google.com/identity/protocols/oauth2/web-server",
	register_at: "https://console.cloud.google.com/auth/clients",
	mcp: { ...facts, hosts: ["*.googleapis.com"] },
	api: facts,
};
