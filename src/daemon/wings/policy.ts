import { ArgumentsCheck } from "../../policy/check-arguments.ts";
import { ExposureCheck } from "../../policy/check-exposure.ts";
import { LimitsCheck } from "../../policy/check-limits.ts";
import { RulesCheck } from "../../policy/check-rules.ts";
import { ScopesCheck } from "../../policy/check-scopes.ts";
import { CurrentPolicy } from "../../policy/current-policy.ts";
import { createRepositories } from "../../store/repositories.ts";
import { DaemonPolicyBackend } from "../policy-backend.ts";
import type { Wing, WingParts } from "../wings.ts";

/** May they: scopes, rules, limits and arguments of every call. */
export function policyWing(parts: WingParts): Wing {
	const policy = new CurrentPolicy(parts.plan(), parts.originOf);
	const rules = new RulesCheck(policy);
	return {
		checks: [
			new ExposureCheck(policy),
			new ScopesCheck(policy),
			rules,
			new LimitsCheck(policy, parts.options.clock),
			new ArgumentsCheck(policy),
		],
		findRisk: () => policy.findRisk,
		policy: new DaemonPolicyBackend({
			policy,
			clock: parts.options.clock,
			catalogs: parts.catalogs,
			plan: parts.plan,
			context: () => parts.gateway().context,
			repositories: createRepositories(parts.connection),
		}),
		use: (plan) => policy.use(plan),
	};
}
