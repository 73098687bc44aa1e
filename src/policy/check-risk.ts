import type { Demand } from "../protocol/demand.ts";
import type { RiskClass } from "../protocol/risk.ts";
import { allowed, type Check, type CheckedCall, type Verdict } from "./check.ts";

/** Which risk classes need an approval, and of whom. */
export interface RiskDemand {
	readonly risk: readonly RiskClass[];
	readonly demand: Demand;
}

/**
 * Asks people about tools of certain risk classes. A tool that nothing is known of may do
 * anything.
 */
export class RiskCheck implements Check {
	readonly name = "risk";
	/** Read on every call: a reload may change it. */
	readonly #current: () => RiskDemand | undefined;

	constructor(current: () => RiskDemand | undefined) {
		this.#current = current;
	}

	check(call: CheckedCall): Verdict {
		const current = this.#current();
		if (current === undefined || call.method !== "tools/call") return allowed;
		const risk = call.tool?.risk ?? "destructive";
		if (!current.risk.includes(risk)) return allowed;
		return { kind: "ask", rule: `risk: ${risk}`, approval: current.demand };
	}
}
