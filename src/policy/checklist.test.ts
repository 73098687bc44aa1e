import assert from "node:assert/strict";
import { test } from "node:test";
import { planOf, ruleWith } from "../../test/support/policy.ts";
import type { Plan } from "../config/plan.ts";
import { default_approval, type PolicyPlan, type ServerPolicyPlan } from "../config/policy-plan.ts";
import { checklist, earlyNoGo, type ListedTool } from "./checklist.ts";
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
		servers: [own_server],
		...changes,
	} as unknown as Plan;
}

const refund: ListedTool = { name: "refund", annotations: {} };
const list: ListedTool = { name: "list_invoices", annotations: { readOnlyHint: true } };

function statuses(
	plan: Plan,
	tools: readonly ListedTool[] | undefined = [list],
	has_switches = true,
): Record<string, string> {
	const policy = new CurrentPolicy(plan);
	const rows = checklist({ plan, policy, toolsOf: () => tools, has_switches });
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
	const facts = { plan, policy: new CurrentPolicy(plan), has_switches: true };
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

test("before anything runs, a configuration already shows some of its no-go signs", () => {
	const early = (plan: Plan) => earlyNoGo(plan, new CurrentPolicy(plan)).map(({ id }) => id);
	assert.deepEqual(early(planWith({})), []);
	const remote = { ...own_server, spec: { driver: "http" } };
	const plan = planWith({ identity: undefined, servers: [remote] });
	assert.deepEqual(early(plan), ["identity", "third_party"]);
});

test("one server alone can be asked about", () => {
	const plan = planWith({ servers: [own_server, { ...own_server, name: "other" }] });
	const facts = { plan, policy: new CurrentPolicy(plan), toolsOf: () => [], has_switches: true };
	const servers = checklist(facts, "other").map(({ server }) => server);
	assert.ok(servers.includes("other") && !servers.includes("billing"));
});
