import assert from "node:assert/strict";
import { test } from "node:test";
import { planOf, ruleWith } from "../../test/support/policy.ts";
import type { Plan } from "../config/plan.ts";
import { default_approval, type PolicyPlan, type ServerPolicyPlan } from "../config/policy-plan.ts";
import { type ChecklistFacts, checklist, earlyNoGo, type ListedTool } from "./checklist.ts";
import { CurrentPolicy } from "./current-policy.ts";

const sandbox = { mode: "on", egress: { kind: "hosts", hosts: [] } };
const own_server = {
	name: "billing",
	spec: { driver: "stdio" },
	scope: "user",
	untrusted: false,
	sandbox,
};

/** As much of a plan as the checklist looks at, safe in every respect, with changes. */
function planWith(changes: object, policy: Partial<PolicyPlan> = {}): Plan {
	const front = { public_url: "https://mcp.example.com", trusted_proxies: [], tls: undefined };
	return {
		...planOf(policy),
		front,
		identity: { keys: [], login: undefined },
		allowed_hosts: ["mcp.example.com"],
		allowed_origins: ["https://mcp.example.com"],
		held: new Map(),
		secrets: { age_days_max: 90 },
		servers: [own_server],
		...changes,
	} as unknown as Plan;
}

const refund: ListedTool = { name: "refund", annotations: {} };
const list: ListedTool = { name: "list_invoices", annotations: { readOnlyHint: true } };

const now_ms = Date.parse("2026-11-29T12:00:00Z");
const days_ago = (days: number) => now_ms - days * 86_400_000;
/** A backup of yesterday, and no credentials. */
const facts_kept = {
	...{ now_ms, credentials: [] },
	backup: { made_at_ms: days_ago(1), path: "/backups/sunday" },
};

function statuses(
	plan: Plan,
	tools: readonly ListedTool[] | undefined = [list],
	has_switches = true,
): Record<string, string> {
	const policy = new CurrentPolicy(plan);
	const rows = checklist({
		...facts_kept,
		plan,
		policy,
		toolsOf: () => tools,
		has_switches,
	});
	for (const { evidence, next, status } of rows) {
		assert.ok(evidence.endsWith("."), evidence);
		assert.equal(next === undefined, status === "ok");
	}
	return Object.fromEntries(rows.map(({ id, status }) => [id, status]));
}

function serverPolicy(changes: Partial<ServerPolicyPlan>): Partial<PolicyPlan> {
	const server = { tools: [], arguments: "check" as const, reviewed: undefined, ...changes };
	return { servers: { billing: server } };
}

test("a server that only reads, behind identity and TLS, has no no-go sign", () => {
	const found = statuses(planWith({}));
	assert.ok(!Object.values(found).includes("no_go"), JSON.stringify(found));
});

test("each no-go sign is seen", () => {
	const front = { public_url: undefined, trusted_proxies: [], tls: undefined };
	const outside = { host: "0.0.0.0", port: 8642 };
	const remote = { ...own_server, spec: { driver: "http" } };
	const bare = { ...own_server, untrusted: true, sandbox: { ...sandbox, mode: "off" } };
	const risky = planWith({}, { unclassified: "allow" });
	assert.equal(statuses(planWith({ identity: undefined }))["identity"], "no_go");
	assert.equal(statuses(planWith({ front, listen: outside }))["encryption"], "no_go");
	assert.equal(statuses(planWith({ front }))["encryption"], "missing");
	assert.equal(statuses(planWith({}), [list], false)["switches"], "no_go");
	assert.equal(statuses(planWith({}), undefined)["inventory"], "ok");
	assert.equal(statuses(risky, [refund])["risk"], "no_go");
	assert.equal(statuses(planWith({}), [refund])["risk"], "missing");
	assert.equal(statuses(planWith({}), [refund])["approvals"], "no_go");
	assert.equal(statuses(planWith({ servers: [bare] }))["isolation"], "no_go");
	assert.equal(statuses(planWith({ servers: [remote] }))["third_party"], "no_go");
});

test("a server that nobody has listed is a no-go sign", () => {
	const plan = planWith({});
	const facts = { plan, policy: new CurrentPolicy(plan), has_switches: true, ...facts_kept };
	const rows = checklist({ ...facts, toolsOf: () => undefined });
	assert.equal(rows.find(({ id }) => id === "inventory")?.status, "no_go");
});

test("approvals, rules and reviews take their signs away", () => {
	const approved = { pattern: "re*", risk: undefined, scopes: ["pay"], approval: default_approval };
	const with_approval = planWith({}, serverPolicy({ tools: [approved] }));
	assert.equal(statuses(with_approval, [refund])["approvals"], "ok");
	assert.equal(statuses(with_approval, [refund])["scopes"], "ok");
	const denied = planWith({}, { rules: [ruleWith({ tools: ["refund"], when: "args.a > 1" })] });
	assert.equal(statuses(denied, [refund])["approvals"], "ok");
	const other = planWith({}, { rules: [ruleWith({ tools: ["charge"] })] });
	assert.equal(statuses(other, [refund])["approvals"], "no_go");
	const remote = { ...own_server, spec: { driver: "http" } };
	const reviewed = planWith({ servers: [remote] }, serverPolicy({ reviewed: "2026-11-01, Ana" }));
	assert.equal(statuses(reviewed)["third_party"], "ok");
});

test("what is missing but no no-go sign is said as well", () => {
	const off = planWith({}, serverPolicy({ arguments: "off" }));
	assert.equal(statuses(off)["arguments"], "missing");
	assert.equal(statuses(planWith({}))["limits"], "missing");
	assert.equal(statuses(planWith({ held: new Map([["a", "b"]]) }))["secrets"], "missing");
	assert.equal(statuses(planWith({ audit: { mode: "off" } }))["evidence"], "missing");
	const shared = planWith({ servers: [{ ...own_server, scope: "shared" }] });
	assert.equal(statuses(shared, [refund])["sharing"], "missing");
	assert.equal(statuses(shared, [list])["sharing"], "ok");
	const open = { ...own_server, sandbox: { mode: "on", egress: { kind: "open" } } };
	assert.equal(statuses(planWith({ servers: [open] }))["isolation"], "missing");
});

/** A row of the checklist of a safe gateway that keeps this. */
function rowOf(id: string, kept: Partial<ChecklistFacts>): string {
	const plan = planWith({});
	const facts = { plan, policy: new CurrentPolicy(plan), toolsOf: () => [], has_switches: true };
	const row = checklist({ ...facts, ...facts_kept, ...kept }).find((one) => one.id === id);
	return `${row?.status}: ${row?.evidence}`;
}

test("a backup is fresh for a week, and what is not there or older is said with its day", () => {
	const about = (backup: ChecklistFacts["backup"]) => rowOf("backup", { backup });
	assert.equal(about(undefined), "missing: No backup was ever made of this data folder.");
	const path = "/backups/sunday";
	const of = (days: number) => about({ made_at_ms: days_ago(days), path });
	assert.equal(
		of(1),
		"ok: The last backup is of 2026-11-28T12:00:00.000Z, 1 day ago, in /backups/sunday.",
	);
	assert.match(of(6.9), /^ok: .* 6 days ago/);
	assert.match(of(7), /^missing: .* 7 days ago/);
	// A clock that was set back is no reason to call it old.
	assert.match(of(-3), /^ok: .* 0 days ago/);
});

test("a credential has an age, an expired one counts no more, one of unknown age needs an end", () => {
	const about = (credentials: ChecklistFacts["credentials"]) =>
		rowOf("credentials", { credentials });
	const one = (name: string, made_at_ms?: number, expires_at_ms?: number) => ({
		...{ name, made_at_ms, expires_at_ms },
	});
	assert.equal(about([]), "ok: No secret and no key is kept here.");
	const young = one("the secret a", days_ago(89.9));
	assert.equal(about([young]), "ok: 1 in all, younger than 90 days or with an end.");
	const old = one("the secret b", days_ago(90));
	const older = one("the key ci", days_ago(400), now_ms + 1);
	assert.equal(
		about([young, old, older]),
		"missing: Older than 90 days: the key ci (400 days), the secret b (90 days).",
	);
	assert.match(about([one("the key gone", days_ago(400), now_ms)]), /^ok: No secret/);
	assert.match(
		about([one("the key laptop")]),
		/^missing: .* nobody knows how old: the key laptop\./,
	);
	assert.match(about([one("the key laptop", undefined, now_ms + 1)]), /^ok: /);
});

test("before anything runs, a configuration already shows some of its no-go signs", () => {
	const early = (plan: Plan) => earlyNoGo(plan, new CurrentPolicy(plan)).map(({ id }) => id);
	assert.deepEqual(early(planWith({})), []);
	const remote = { ...own_server, spec: { driver: "http" } };
	const plan = planWith({ identity: undefined, servers: [remote] });
	assert.deepEqual(early(plan), ["identity", "third_party"]);
});

test("one server alone can be asked about", () => {
	const plan = planWith({ servers: [own_server, { ...own_server, name: "other" }] });
	const facts = {
		plan,
		policy: new CurrentPolicy(plan),
		toolsOf: () => [],
		has_switches: true,
		...facts_kept,
	};
	const servers = checklist(facts, "other").map(({ server }) => server);
	assert.ok(servers.includes("other") && !servers.includes("billing"));
});
