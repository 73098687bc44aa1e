import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { default_approvals } from "../../src/config/approvals-plan.ts";
import { loadPlan } from "../../src/config/load.ts";
import type { Plan } from "../../src/config/plan.ts";
import type { RulePlan } from "../../src/config/policy-plan.ts";
import { Identity } from "../../src/identity/identity.ts";
import { type Principal, principalOf } from "../../src/identity/principal.ts";
import { systemClock } from "../../src/lib/clock.ts";
import { systemRandom } from "../../src/lib/random.ts";
import type { Check, CheckedCall, ToolFacts } from "../../src/policy/check.ts";
import { ArgumentsCheck } from "../../src/policy/check-arguments.ts";
import { ExposureCheck } from "../../src/policy/check-exposure.ts";
import { LimitsCheck } from "../../src/policy/check-limits.ts";
import { RiskCheck } from "../../src/policy/check-risk.ts";
import { RulesCheck } from "../../src/policy/check-rules.ts";
import { ScopesCheck } from "../../src/policy/check-scopes.ts";
import { CurrentPolicy } from "../../src/policy/current-policy.ts";
import { KillSwitches } from "../../src/policy/kill-switches.ts";
import { openDatabase } from "../../src/store/database.ts";
import { SqlKillSwitchRepository } from "../../src/store/kill-switch-repository.ts";
import { planOf, ruleWith } from "../../test/support/policy.ts";
import { startTokenIssuer } from "../../test/support/token-issuer.ts";
import { people_many } from "./many.ts";
import { manyRules } from "./rules.ts";

const calls = 200_000;
const rounds = 5;
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
const client = {
	name: "bench",
	version: "1",
	revision: "2026-07-28",
	era: "modern",
	capabilities: "{}",
} as const;

/** A call as the front door makes it: its arguments are parsed when a check asks for them. */
function nextCall(now_ms: number, principal: Principal): CheckedCall {
	let value: unknown;
	return {
		id: "call",
		principal,
		client,
		endpoint: "mcp",
		server: "github",
		method: "tools/call",
		name: tool.name,
		tool,
		args: () => (value ??= JSON.parse(args_raw)),
		arguments_raw: args_raw,
		now_ms,
		notes: {},
	};
}

function checksOf(plan: Plan): Check[] {
	const policy = new CurrentPolicy(plan);
	const rules = new RulesCheck(policy);
	const limits = new LimitsCheck(policy, systemClock);
	const before = [new ExposureCheck(policy), new ScopesCheck(policy)];
	return [...before, rules, limits, new ArgumentsCheck(policy)];
}

/** Off switches, of which none is set, and risk classes that are asked about. */
async function otherChecks(): Promise<Check[]> {
	const opened = await openDatabase({ path: ":memory:" });
	if (!opened.ok) throw new Error(opened.problem.detail);
	const switches = new KillSwitches({
		clock: systemClock,
		repository: new SqlKillSwitchRepository(opened.value.connection),
		onTrouble: (error) => {
			throw error;
		},
	});
	await switches.restore();
	const asked = { risk: ["destructive"] as const, demand: default_approvals };
	return [switches, new RiskCheck(() => asked)];
}

/** Who a request is from, by a token that was found good before: as for every later call. */
async function knownCaller(): Promise<() => Principal> {
	const issuer = await startTokenIssuer();
	const audience = "https://mcp.example.com/mcp";
	const claims = { tenant: "acme", roles: ["member"], scope: "mcp", client_id: "bench" };
	const authorization = `Bearer ${await issuer.token(audience, { claims })}`;
	const folder = await mkdtemp(join(tmpdir(), "moorage-bench-identity-"));
	const file = join(folder, "moorage.yaml");
	const form = { version: 1, identity: { issuer: issuer.issuer }, servers: {} };
	await writeFile(file, JSON.stringify(form));
	const world = { cwd: folder, environment: {}, home: folder, overrides: {} };
	const loaded = await loadPlan({ ...world, path: file });
	await rm(folder, { recursive: true });
	if (!loaded.ok) throw new Error(JSON.stringify(loaded.problem));
	const identity = new Identity(
		{ clock: systemClock, random: systemRandom },
		loaded.value.identity,
	);
	let now_ms = systemClock.now();
	const connection = {};
	const identify = () =>
		identity.identify(
			{
				authorization,
				proofs: [],
				method: "POST",
				url: audience,
				resources: [audience, "https://mcp.example.com"],
				nonce_required: false,
				connection,
				certificate: undefined,
			},
			now_ms,
		);
	const first = await identify();
	if (!first.ok) throw new Error(first.problem.code);
	await issuer.close();
	// From here on the same: a round on a busy machine takes longer than a token is remembered.
	now_ms = systemClock.now();
	return () => {
		const found = identify();
		if (found instanceof Promise || !found.ok) throw new Error("the token is not known");
		return found.value;
	};
}

/** CPU microseconds that one call takes in all checks together, the caller's credential first. */
function measureCalls(caller: () => Principal, checks: readonly Check[]): number {
	const now_ms = systemClock.now();
	const before = process.cpuUsage();
	for (let at = 0; at < calls; at++) {
		const call = nextCall(now_ms, caller());
		for (const check of checks) {
			const verdict = check.check(call);
			if (verdict instanceof Promise || verdict.kind !== "allow") throw new Error("not allowed");
		}
		for (const check of checks) check.done?.(call);
	}
	const { user, system } = process.cpuUsage(before);
	return (user + system) / calls;
}

/**
 * CPU microseconds that one first call of each of many people takes in the checks before its
 * arguments, with 10,000 rules and a limit that counts by person.
 */
export function measurePeople(): Record<string, number> {
	const limit = { rate: { calls: 60, per_ms: 60_000 }, burst: 60, at_once: undefined };
	const limited = { ...plain_rule, name: "limit", then: "limit" as const };
	const rules = [...manyRules(), { ...limited, limit: { ...limit, per: ["user"] as const } }];
	const checks = checksOf(planOf({ rules }));
	const now_ms = systemClock.now();
	const before = process.cpuUsage();
	for (let at = 0; at < people_many; at++) {
		const call = nextCall(now_ms, principalOf("acme", `u${at}`));
		for (const check of checks.slice(0, 4)) void check.check(call);
	}
	const { user, system } = process.cpuUsage(before);
	return { first_call_cpu_us: (user + system) / people_many };
}

/** The checks of a call together, in CPU microseconds; the median of some rounds. */
export async function measureChecks(short: boolean): Promise<Record<string, number>> {
	const checks = [...(await otherChecks()), ...checksOf(planOf({ rules: tenRules() }))];
	const caller = await knownCaller();
	measureCalls(caller, checks);
	const measured = Array.from({ length: short ? 1 : rounds }, () => measureCalls(caller, checks));
	const sorted = measured.toSorted((a, b) => a - b);
	return {
		cpu_us: sorted[Math.floor(sorted.length / 2)] ?? 0,
		of_which_identity_us: cpuOf(() => void caller()),
		of_which_parsing_us: cpuOf(() => void JSON.parse(args_raw)),
	};
}

/** CPU microseconds of one run of something, of many. */
function cpuOf(work: () => void): number {
	const before = process.cpuUsage();
	for (let at = 0; at < calls; at++) work();
	const { user, system } = process.cpuUsage(before);
	return (user + system) / calls;
}
