import type { FaultCode } from "../protocol/fault.ts";
import type { SandboxState } from "../upstreams/driver.ts";
import type { EgressReport } from "./egress/ledger.ts";
import type { ServerStateName } from "./states.ts";

/** One instance of a server, as people see it. */
export interface InstanceStatus {
	/** Number that stands in the server's log lines; 0 while nothing runs. */
	readonly id: number;
	readonly scope_key: string;
	readonly state: ServerStateName;
	/** The revision spoken with it, once it is ready. */
	readonly revision: string | undefined;
	/** Wall-clock milliseconds since which it is ready. */
	readonly ready_at_ms: number | undefined;
	/** Calls and streams that use it. */
	readonly leases: number;
	/** Calls that wait for it. */
	readonly waiting: number;
	/** What shuts it off from the machine; undefined where nothing of it runs here. */
	readonly sandbox: SandboxState | undefined;
	/** Sentences: what it was given beside its own folders, limits that could not be set. */
	readonly notes: readonly string[];
	/** Absolute folder of its own that outlives it. */
	readonly volume: string | undefined;
	/** Bytes it gave back in its sleep; undefined as long as that was not asked for. */
	readonly reclaimed_bytes: number | undefined;
}

/** Something that went wrong with a server, which may be over. */
export interface PastFailure {
	/** A sentence. */
	readonly reason: string;
	readonly exit_code: number | undefined;
	/** Wall-clock milliseconds. */
	readonly at_ms: number;
}

/** A server, as people see it. */
export interface ServerStatus {
	readonly name: string;
	readonly title: string;
	readonly driver: string;
	readonly state: ServerStateName;
	/** Why it is not usable: a sentence. Also set between two tries. */
	readonly reason: string | undefined;
	readonly code: FaultCode | undefined;
	/** What is known of that beside the reason, such as the server's own words. */
	readonly detail?: string | undefined;
	/** The exit code of what ended last, where that is why it is not usable. */
	readonly exit_code: number | undefined;
	/** How often it was started again after a failure. */
	readonly restarts: number;
	/** How often something of it that was frozen was woken. */
	readonly wakes?: number;
	/** What went wrong last, also where it runs again. */
	readonly last_failure?: PastFailure | undefined;
	/** Wall-clock time of the next try, where one is planned. */
	readonly next_try_at_ms: number | undefined;
	readonly instances: readonly InstanceStatus[];
	/** What it asked of the network from its sandboxes; missing where it asked nothing. */
	readonly egress?: EgressReport;
}

/** States in which a server is of use, or soon will be, best first. */
const useful: readonly ServerStateName[] = ["ready", "frozen", "starting"];

/**
 * The one word for a server that may have several instances, from its preparation and the
 * states of its slots. `draining` says that an instance is on its way out.
 */
export function summariseState(
	preparation: ServerStateName,
	slots: readonly ServerStateName[],
	draining: boolean,
): ServerStateName {
	const best = useful.find((state) => slots.includes(state));
	if (best !== undefined) return best;
	if (preparation !== "stopped") return preparation;
	if (slots.includes("failed")) return "failed";
	return draining || slots.includes("draining") ? "draining" : "stopped";
}
