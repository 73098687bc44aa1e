import type { RulePlan } from "../../src/config/policy-plan.ts";
import { ruleWith } from "../../test/support/policy.ts";

/** How many there are; what is promised is about these. */
export const rules_many = 10_000;

/** Rules, each about another tool and another tenant. */
export function manyRules(): RulePlan[] {
	const plain = ruleWith({ name: "" });
	return Array.from({ length: rules_many }, (_, at) => ({
		...plain,
		name: `r${at}`,
		tools: [`github__tool_${at}`],
		when: `args.amount > ${at} && principal.tenant == 't${at}'`,
	}));
}
