import type { Catalogs } from "../catalog/catalogs.ts";
import type { Plan, ServerPlan } from "../config/plan.ts";
import type { Hosting } from "../hosting/hosting.ts";

/** True once every server has answered, has a stored catalog, or has failed. */
export function isReady(plan: Plan, catalogs: Catalogs, hosting: Hosting): boolean {
	return plan.servers.every((server) => isSettled(server, catalogs, hosting));
}

function isSettled(server: ServerPlan, catalogs: Catalogs, hosting: Hosting): boolean {
	if (server.start === "on-demand") return true;
	if (catalogs.get(server.name) !== undefined) return true;
	// The reason stays while a failed server is tried again, so readiness does not flicker.
	const status = hosting.status(server.name);
	return status?.state === "failed" || status?.code !== undefined;
}
