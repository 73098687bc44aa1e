import type { Confinement } from "../driver.ts";

/** Which network a container is put into, and what a person should know of it. */
export interface NetworkChoice {
	readonly mode: "none" | "bridge";
	readonly note?: string | undefined;
	/** True where it can reach more than was asked for. */
	readonly exceeds?: boolean;
}

/**
 * An engine can only switch a network on or off. Whatever asks for chosen hosts gets none, which
 * is less than it asked for; public hosts alone cannot be had, so that is said.
 */
export function networkOf(confinement: Confinement | undefined): NetworkChoice {
	const egress = confinement?.sandbox.egress;
	switch (egress?.kind) {
		case undefined:
			return { mode: "none" };
		case "hosts": {
			if (egress.hosts.length === 0) return { mode: "none" };
			const note =
				"a container reaches single hosts not yet, so it has no network; " +
				"egress: open gives it the engine's";
			return { mode: "none", note };
		}
		case "public": {
			const note =
				"the container is on the engine's own network: private addresses can be reached too, " +
				"and nothing is recorded";
			return { mode: "bridge", note, exceeds: true };
		}
		case "open":
			return { mode: "bridge" };
	}
}
