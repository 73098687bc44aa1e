import type { RiskClass } from "../protocol/risk.ts";
import type { CurrentPolicy } from "./current-policy.ts";
import { rank, settingsFor } from "./risk.ts";
import type { Rule } from "./rules.ts";

/** Whether tools of a class send, spend or destroy, so that a person should decide. */
export function isGrave(risk: RiskClass): boolean {
	return rank(risk) >= rank("costly");
}

/** Whether a person decides about calls of a tool, or a rule keeps some or all from being made. */
export function hasHumanPath(
	server: string,
	tool: string,
	risk: RiskClass,
	policy: CurrentPolicy,
): boolean {
	const { tools } = policy.serverPolicy(server);
	if (settingsFor(tool, tools).some(({ approval }) => approval !== undefined)) return true;
	return rulesAbout(server, tool, risk, policy).some(({ plan }) => {
		const outcomes = plan.when === undefined ? [plan.then] : [plan.then, plan.otherwise];
		// A condition that lets some calls pass was written by somebody who thought of this tool.
		return outcomes.some((outcome) => outcome === "ask" || outcome === "deny");
	});
}

/** The rules about a tool of a risk class, at its server's own address. */
export function rulesAbout(
	server: string,
	tool: string,
	risk: RiskClass,
	{ book }: CurrentPolicy,
): readonly Rule[] {
	const target = { endpoint: server, server, method: "tools/call", tool };
	return book.about(target).filter(({ risks }) => risks.size === 0 || risks.has(risk));
}
