import type { OAuthSpec } from "../../src/config/plan.ts";

/** A person's account, at whatever issuer the server names, by whatever client can be had there. */
export const by_itself: OAuthSpec = {
	grant: "authorization_code",
	client_id: undefined,
	client_secret: undefined,
	private_key: undefined,
	client_metadata: undefined,
	issuer: undefined,
	scopes: [],
};
