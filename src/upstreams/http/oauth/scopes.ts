import type { AuthorizationServer } from "oauth4webapi";

/** What decides which scopes are asked for. */
export interface ScopeSources {
	/** From the configuration. */
	readonly configured: readonly string[];
	/** From the refusal that made the authorization necessary. */
	readonly challenged: readonly string[];
	/** Asked for before; never dropped when more is needed. */
	readonly before: readonly string[];
	/** What the resource lists. */
	readonly listed: readonly string[] | undefined;
	readonly server: AuthorizationServer;
	/** What is known to be wanted for a refresh token. */
	readonly extra: readonly string[];
	readonly wants_refresh: boolean;
}

/**
 * The scopes to ask for (authorization, 2026-07-28, scope selection): what was configured and
 * what the refusal names together with what was asked before, else what the resource lists.
 * `offline_access` is added only where the authorization server lists it.
 */
export function selectScopes(sources: ScopeSources): string[] {
	const { configured, challenged, before, listed = [], server, extra, wants_refresh } = sources;
	const named = [...configured, ...challenged];
	const wanted = named.length > 0 ? [...before, ...named] : [...before, ...listed];
	const offline = wants_refresh && server.scopes_supported?.includes("offline_access") === true;
	const for_refresh = offline ? [...extra, "offline_access"] : extra;
	return [...new Set(wants_refresh ? [...wanted, ...for_refresh] : wanted)];
}
