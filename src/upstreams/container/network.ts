import type { Confinement } from "../driver.ts";

/**
 * Which network a container is put into. An engine can only switch a network on or off; whatever
 * asks for less than all of it gets none, and a way out past a proxy.
 */
export function networkOf(confinement: Confinement | undefined): "none" | "bridge" {
	if (confinement === undefined || confinement.untrusted) return "none";
	return confinement.sandbox.egress.kind === "open" ? "bridge" : "none";
}
