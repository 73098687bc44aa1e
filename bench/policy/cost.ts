import type { Plan } from "../../src/config/plan.ts";
import type { RulePlan } from "../../src/config/policy-plan.ts";
import { principalOf } from "../../src/identity/principal.ts";
import { systemClock } from "../../src/lib/clock.ts";
import type { Check, CheckedCall, ToolFacts } from "../../src/policy/check.ts";
import { ArgumentsCheck } from "../../src/policy/check-arguments.ts";
import { ExposureCheck } from "../../src/policy/check-exposure.ts";
import { LimitsCheck } from "../../src/policy/check-limits.ts";
import { RulesCheck } from "../../src/policy/check-rules.ts";
import { ScopesCheck } from "../../src/policy/check-scopes.ts";
import { CurrentPolicy } from "../../src/policy/current-policy.ts";
import { compileRules } from "../../src/policy/rules.ts";
import { planOf, ruleWith } from "../../test/support/policy.ts";

const calls = 200_000;
const rounds = 5;
const rules_many = 10_000;
const people_many = 100_000;

const plain_rule = ruleWith({ name: "" });

/** Ten rules that all evaluate for each call, and a limit that never holds it back. */
function tenRules(): RulePlan[] {
	const conditions = [
		"principal.tenant == 'evil'",
		"'blocked' in principal.roles",
		"args.title == 'forbidden'",
		"args.milestone > 1000",
		"tool.risk == 'destructive'",
		"client.era == 'ancient'",
		"time < timestamp('2020-01-01T00:00:00Z')",
		"args.labels.exists(x, x == 'secret')",
		"name.startsWith('delete_')",
		"has(args.state) && args.state == 'locked'",
	];
	const rate = { calls: 1_000_000_000, per_ms: 1000 };
	const limit = { rate, burst: 1_000_000_000, at_once: 1_000, per: ["user", "tool"] as const };
	return [
		...conditions.map((when, at) => ({ ...plain_rule, name: `r${at}`, when })),
		{ ...plain_rule, name: "limit", then: "limit", limit },
	];
}

const input_schema = {
	type: "object",
	properties: {
		owner: { type: "string" },
		repo: { type: "string" },
		title: { type: "string", minLength: 1, maxLength: 200 },
		body: { type: "string" },
		labels: { type: "array", items: { type: "string" } },
		milestone: { type: "integer", minimum: 0 },
		state: { enum: ["open", "closed"] },
		meta: {
			type: "object",
			properties: { a: { type: "string" }, b: { type: "number" } },
			additionalProperties: false,
		},
	},
	required: ["owner", "repo", "title"],
	additionalProperties: false,
};
const args = {
	owner: "acme",
	repo: "shop",
	title: "A title",
	body: "x".repeat(800),
	labels: ["a", "b", "c"],
	milestone: 3,
	state: "open",
	meta: { a: "x", b: 3 },
};
const args_raw = JSON.stringify(args);
const tool: ToolFacts = { name: "create_issue", annotations: {}, risk: "reversible", input_schema };
const ana = principalOf("acme", "ana", { roles: ["member"], client: "key:laptop" });
const client = {
	name: "bench",
	version: "1",
	revision: "2026-07-28",
	era: "modern",
	capabilities: "{}",
} as const;

/** A call as the front door makes it: its arguments are parsed when a check asks for them. */
function nextCall(now_ms: number): CheckedCall {
	let value: unknown;
	return {
		id: "call",
		principal: ana,
		client,
		endpoint: "mcp",
		server: "github",
		method: "tools/call",
		name: tool.name,
		tool,
		args: () => (value ??= JSON.parse(args_raw)),
		arguments_raw: args_raw,
		now_ms,
	};
}

function checksOf(plan: Plan): Check[] {
	const policy = new CurrentPolicy(plan);
	const rules = new RulesCheck(policy);
	const limits = new LimitsCheck(policy, systemClock, (call) => rules.limitsOf(call));
	const before = [new ExposureCheck(policy), new ScopesCheck(policy)];
	return [...before, rules, limits, new ArgumentsCheck(policy)];
}

/** CPU microseconds that one call takes in all checks together. */
function measureCalls(checks: readonly Check[]): number {
	const now_ms = systemClock.now();
	const before = process.cpuUsage();
	for (let at = 0; at < calls; at++) {
		const call = nextCall(now_ms);
		for (const check of checks) {
			const verdict = check.check(call);
			if (verdict instanceof Promise || verdict.kind !== "allow") throw new Error("not allowed");
		}
		for (const check of checks) check.done?.(call);
	}
	const { user, system } = process.cpuUsage(before);
	return (user + system) / calls;
}

function megabytes(): number {
	globalThis.gc?.();
	return process.memoryUsage().rss / 1024 ** 2;
}

/** What 10,000 rules, each of another tool, and the buckets of 100,000 people take. */
export function measureLoad(): Record<string, number> {
	const before_mb = megabytes();
	const began_ms = systemClock.monotonic();
	const many = Array.from({ length: rules_many }, (_, at) => ({
		...plain_rule,
		name: `r${at}`,
		tools: [`github__tool_${at}`],
		when: `args.amount > ${at} && principal.tenant == 't${at}'`,
	}));
	const limit = { rate: { calls: 60, per_ms: 60_000 }, burst: 60, at_once: undefined };
	const limited = { ...plain_rule, name: "limit", then: "limit" as const };
	const rules = [...many, { ...limited, limit: { ...limit, per: ["user"] as const } }];
	const plan = planOf({ rules });
	if (!compileRules(plan.policy).ok) throw new Error("the rules are wrong");
	const checks = checksOf(plan);
	const load_ms = systemClock.monotonic() - began_ms;
	const now_ms = systemClock.now();
	for (let at = 0; at < people_many; at++) {
		const call = { ...nextCall(now_ms), principal: principalOf("acme", `u${at}`) };
		for (const check of checks.slice(0, 4)) void check.check(call);
	}
	const people_ms = systemClock.monotonic() - began_ms - load_ms;
	return { load_ms, people_ms, memory_mb: megabytes() - before_mb };
}

/** The checks of a call together, in CPU microseconds; the median of some rounds. */
export function measureChecks(short: boolean): Record<string, number> {
	const checks = checksOf(planOf({ rules: tenRules() }));
	measureCalls(checks);
	const measured = Array.from({ length: short ? 1 : rounds }, () => measureCalls(checks));
	const sorted = measured.toSorted((a, b) => a - b);
	const before = process.cpuUsage();
	for (let at = 0; at < calls; at++) JSON.parse(args_raw);
	const { user, system } = process.cpuUsage(before);
	return {
		cpu_us: sorted[Math.floor(sorted.length / 2)] ?? 0,
		of_which_parsing_us: (user + system) / calls,
	};
}
