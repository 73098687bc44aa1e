import { fail, type Result, succeed } from "../lib/result.ts";
import type { StoredVersion } from "../store/version-repository.ts";
import type { ReleaseProblem } from "./problems.ts";
import type { Rollout } from "./rollout.ts";

/** How a deploy is to go, where it differs from the configuration. */
export interface DeployOptions {
	readonly hold?: boolean | undefined;
	readonly percent?: number | undefined;
	/** Whether what the command leaves open, such as a package's version, is found out anew. */
	readonly update?: boolean | undefined;
	/** Whether it is only started and compared, and ended again. */
	readonly plan?: boolean | undefined;
}

/** Where a deploy is once the new version was looked at. */
export interface Deployed {
	readonly server: string;
	readonly version: number;
	/** `planned`: it was only looked at. */
	readonly state: Rollout["state"] | "planned";
	readonly changes: readonly string[];
	readonly warnings: readonly string[];
}

/** What came of a configuration. */
export interface Adopted {
	/** Changed servers whose new version was given up, with why. */
	readonly refused: readonly { readonly server: string; readonly reason: string }[];
	/** What is worth telling of the new versions: sentences. */
	readonly warnings: readonly string[];
	/** Changed servers that were of no use as they were: they start anew without a trial. */
	readonly at_once: readonly string[];
}

/** What became of a version that was looked at, or let on: it may have been given up. */
export function outcomeOf(rollout: Rollout): Result<Deployed, ReleaseProblem> {
	if (rollout.state !== "failed") return succeed(deployedOf(rollout));
	return fail({ code: "failed", message: rollout.reason ?? "It failed." });
}

/** Where a version is, and what is told of it. */
export function deployedOf(rollout: Rollout): Deployed {
	const { plan, number, state, changes, warnings } = rollout;
	return { server: plan.name, version: number, state, changes, warnings };
}

/** A version that took the calls before, and goes on to. */
export function stayed({ server, number }: StoredVersion): Deployed {
	return { server, version: number, state: "live", changes: [], warnings: [] };
}
