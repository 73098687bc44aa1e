import type { EgressPlan } from "../../config/plan.ts";

/** How a container without a network reaches the hosts that its plan allows, and no others. */
export interface WayOut {
	/** Files to be bound into the container, read-only. */
	readonly binds: readonly { readonly from: string; readonly to: string }[];
	/** Stands in front of the program inside the container, and becomes it. */
	readonly prefix: readonly string[];
	/** Added to the program's environment; what the configuration sets itself is kept. */
	readonly env: Readonly<Record<string, string>>;
	close(): Promise<void>;
}

/** Opens the way out of one container; undefined where there is none for this machine. */
export type OpenWayOut = (request: {
	readonly server: string;
	readonly plan: EgressPlan;
	readonly untrusted: boolean;
}) => Promise<WayOut | undefined>;
