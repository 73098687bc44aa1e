import type { Catalogs } from "../catalog/catalogs.ts";
import type { Plan, ServerPlan } from "../config/plan.ts";
import type { Switches } from "../gateway/switches.ts";
import type { Hosting } from "../hosting/hosting.ts";

/** True once every server has answered, has a stored catalog, has failed, or is switched off. */
export function isReady(
	plan: Plan,
	catalogs: Catalogs,
	hosting: Hosting,
	switches?: Pick<Switches, "isServerOff">,
): boolean {
	return plan.servers.every(
		(server) => switches?.isServerOff(server.name) === true || isSettled(server, catalogs, hosting),
	);
}

function isSettled(server: ServerPlan, catalogs: Catalogs, hosting: Hosting): boolean {
	if (server.start === "on-demand") return true;
	if (catalogs.get(server.name) !== undefined) return true;
	// The reason stays while a failed server is tried again, so readiness does not flicker.
	const status = hosting.status(server.name);
	return status?.state === "failed" || status?.code !== undefined;
}
