import type { Plan } from "../../src/config/plan.ts";
import { default_policy, type PolicyPlan, type RulePlan } from "../../src/config/policy-plan.ts";
import { type Principal, principalOf } from "../../src/identity/principal.ts";
import type { CheckedCall, ToolFacts } from "../../src/policy/check.ts";
import { CurrentPolicy } from "../../src/policy/current-policy.ts";

/** A rule that denies everything, with changes. */
export function ruleWith(changes: Partial<RulePlan>): RulePlan {
	return {
		name: "a rule",
		tools: [],
		servers: [],
		endpoints: [],
		methods: undefined,
		risks: [],
		when: undefined,
		when_place: undefined,
		then: "deny",
		otherwise: "pass",
		message: undefined,
		limit: undefined,
		approval: undefined,
		place: { file: "moorage.yaml", line: 1, column: 1 },
		...changes,
	};
}

/** A policy in force, at an address of this machine or of another. */
export function policyOf(
	changes: Partial<PolicyPlan>,
	host = "127.0.0.1",
	originOf?: (server: string) => string,
): CurrentPolicy {
	return new CurrentPolicy(planOf(changes, host), originOf);
}

/** As much of a plan as a policy looks at. */
export function planOf(changes: Partial<PolicyPlan>, host = "127.0.0.1"): Plan {
	const policy = { ...default_policy, ...changes };
	const front = { public_url: undefined, trusted_proxies: [], tls: undefined };
	return { policy, front, listen: { host, port: 0 } } as unknown as Plan;
}

export const ana: Principal = principalOf("acme", "ana", { roles: ["auditor"], client: "key:a" });
export const bob: Principal = principalOf("acme", "bob", { client: "key:b" });
export const eve: Principal = principalOf("evil", "eve", { client: "key:e" });

/** What is known of a tool, with changes. */
export function toolWith(changes: Partial<ToolFacts>): ToolFacts {
	return { name: "refund", annotations: {}, risk: "costly", input_schema: {}, ...changes };
}

/** Ana's call of `billing`'s tool `refund`, with changes. */
export function callWith(
	changes: Partial<Omit<CheckedCall, "args">> & { readonly args?: unknown },
): CheckedCall {
	const { args = {}, ...others } = changes;
	return {
		id: "call-1",
		principal: ana,
		client: {
			name: "a client",
			version: "1.0",
			revision: "2026-07-28",
			era: "modern",
			capabilities: "{}",
		},
		endpoint: "all",
		server: "billing",
		method: "tools/call",
		name: "refund",
		tool: toolWith({}),
		args: () => args,
		arguments_raw: JSON.stringify(args),
		now_ms: Date.UTC(2026, 10, 28, 12),
		notes: {},
		...others,
	};
}
