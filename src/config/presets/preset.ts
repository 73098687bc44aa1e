import type { OAuthEndpoints, OAuthService } from "../oauth-service.ts";

/** A service that people have accounts at, and all that is needed to get tokens there. */
export interface Preset {
	/** Its name, for people. */
	readonly title: string;
	/** Where the service says what stands here. */
	readonly documentation: string;
	/** Where a client is registered by hand. */
	readonly register_at?: string;
	/** Its own remote MCP servers. */
	readonly mcp?: PresetMcp;
	/** How to get tokens of its API, for MCP servers of others that take those. */
	readonly api?: PresetFacts;
	/** What `{tenant}` stands for in addresses where the configuration does not say. */
	readonly tenant?: string;
}

/** The remote MCP servers of a service itself. */
export interface PresetMcp extends PresetFacts {
	/** The address, where one server is what everybody means. */
	readonly url?: string;
	/** The hosts they are at: patterns with `*`. */
	readonly hosts: readonly string[];
}

/**
 * What is known of one authorization server. Addresses begin with `/` where they are below the
 * issuer, so that they go with it where somebody runs the service at another address.
 */
export interface PresetFacts extends Omit<OAuthService, "preset" | "endpoints"> {
	readonly endpoints?: OAuthEndpoints;
	/** `by_hand`: a `client_id` is needed. `by_itself`: Moorage registers there. */
	readonly registration: "by_hand" | "by_itself";
	/** What is asked for where the configuration names no scopes. */
	readonly scopes: readonly string[] | "to be named";
}
