import type { Principal } from "../identity/principal.ts";
import type { FaultCode } from "../protocol/fault.ts";
import type { Switches } from "./switches.ts";

/** Scope that a credential which is limited to scopes needs for the admin API, on top of others. */
export const api_scope = "admin";
/** Scope that is enough for the metrics, and for nothing else beside the MCP addresses. */
export const metrics_scope = "metrics";

/** Roles that an off switch leaves the admin API to: somebody has to be able to lift it. */
const switching_roles: readonly string[] = ["admin", "operator"];

/** Why somebody who is known may not use the admin API. */
export interface ApiObstacle {
	readonly code: FaultCode;
	/** A sentence. */
	readonly message: string;
}

/**
 * Why somebody who is known may not use what is beside the MCP addresses: the admin API, the pages
 * and the metrics. Undefined where nothing is against it; their roles are looked at elsewhere.
 * @param scopes those that every call at an MCP address needs
 * @param own_scopes one of these is needed as well
 */
export function apiObstacle(
	who: Principal,
	scopes: readonly string[],
	switches: Pick<Switches, "personRefusal"> | undefined,
	own_scopes: readonly string[] = [api_scope],
): ApiObstacle | undefined {
	// A key for calls must not be one for switching servers and deciding about calls as well.
	const { scopes: held } = who;
	const has = (scope: string) => held === undefined || held.includes(scope);
	if (!scopes.every(has) || !own_scopes.some(has)) {
		const wanted = [...new Set([...scopes, own_scopes[0]])].join(" ");
		const message = `This credential is limited to scopes, and this needs: ${wanted}.`;
		return { code: "scope_missing", message };
	}
	if (switching_roles.some((role) => who.roles.includes(role))) return undefined;
	return switches?.personRefusal(who);
}
