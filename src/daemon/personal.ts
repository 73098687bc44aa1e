import { exchangesIdentity } from "../config/exchange-form.ts";
import type { Plan, ServerPlan } from "../config/plan.ts";

/**
 * Whether whatever runs of a server is somebody's, a person's or a tenant's, with an account at a
 * remote server that a person has to connect first. Of such a server nothing runs for nobody in
 * particular: that would want an account of the gateway, which no call ever uses.
 */
export function isPersonal({ identity }: Plan, { scope, spec }: ServerPlan): boolean {
	if (identity === undefined || scope === "shared") return false;
	if (exchangesIdentity({ spec })) return true;
	return spec.driver === "http" && spec.auth?.grant === "authorization_code";
}
