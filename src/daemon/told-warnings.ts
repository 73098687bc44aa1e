import type { Plan } from "../config/plan.ts";
import type { Adopted } from "../releases/deployed.ts";

/**
 * A plan with a warning where its servers should have a sandbox and have a lesser one, or none:
 * `shortfall` says so, with what to do about it.
 */
export function withSandboxWarning(plan: Plan, shortfall: string | undefined): Plan {
	const is_wanted = plan.servers.some(
		({ spec, sandbox }) => spec.driver === "stdio" && sandbox.mode !== "off",
	);
	if (shortfall === undefined || !is_wanted) return plan;
	return { ...plan, warnings: [...plan.warnings, shortfall] };
}

/** A version that a changed configuration asked for and that is not taken over. */
export function givenUpWarning({ server, reason }: Adopted["refused"][number]): string {
	return (
		`The new version of "${server}" was given up, the old one runs on: ${reason} ` +
		`\`moorage deploy ${server}\` tries it again.`
	);
}
