import assert from "node:assert/strict";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { default_approvals } from "./approvals-plan.ts";
import { diffPlans } from "./diff.ts";
import { loadPlan } from "./load.ts";
import { default_approval } from "./policy-plan.ts";

async function load(t: TestContext, text: string) {
	const folder = await mkdtemp(join(tmpdir(), "moorage-approvals-"));
	t.after(() => rm(folder, { recursive: true, force: true }));
	const path = join(folder, "moorage.yaml");
	await writeFile(path, text);
	return loadPlan({ path, cwd: folder, environment: {}, home: folder, overrides: {} });
}

const server = "version: 1\nservers: { a: { command: run } }\n";

test("the example of the documentation says what it says it says", async (t) => {
	const page = await readFile(new URL("../../docs/approvals.md", import.meta.url), "utf8");
	const example = /```yaml\n([^]*?)```/.exec(page)?.[1] ?? "";
	const plan = await load(t, example);
	assert.ok(plan.ok, JSON.stringify(plan));
	assert.deepEqual(plan.value.approvals, {
		...default_approvals,
		risk: ["destructive"],
		other_than_caller: true,
	});
	const [required, merge] = plan.value.policy.servers["github"]?.tools ?? [];
	assert.deepEqual(required?.approval, { ...default_approval, other_than_caller: true });
	assert.deepEqual(
		[merge?.approval?.approvers, merge?.approval?.count, merge?.approval?.other_than_caller],
		[["role:maintainer"], 2, true],
	);
});

test("a block without anything in it is what holds by default", async (t) => {
	const plan = await load(t, `${server}approvals: {}\n`);
	assert.ok(plan.ok);
	assert.deepEqual(plan.value.approvals, default_approvals);
});

const tools = (rule: string) =>
	`version: 1\nservers: { a: { command: run, tools: { t: { approval: ${rule} } } } }\n`;
const strict =
	"approvals: { approvers: [role:lead], count: 2, other_than_caller: true, edit: true }\n";
const strict_plan = {
	approvers: ["role:lead"],
	count: 2,
	other_than_caller: true,
	edit: true,
	expires_ms: 3_600_000,
};

test("what a tool or a rule does not say of its approval is as under `approvals`", async (t) => {
	const cases: [given: string, also: string, expected: object][] = [
		["required", strict, strict_plan],
		["{}", strict, strict_plan],
		["{ count: 1 }", strict, { ...strict_plan, count: 1 }],
		[
			"{ approvers: [], expires: 5m }",
			strict,
			{ ...strict_plan, approvers: [], expires_ms: 300_000 },
		],
		[
			"{ other_than_caller: false, edit: false }",
			strict,
			{ ...strict_plan, other_than_caller: false, edit: false },
		],
		[
			"required",
			"approvals: { expires: 2h, risk: [costly] }\n",
			{ ...default_approval, expires_ms: 7_200_000 },
		],
		["required", "", default_approval],
		["{ count: 3 }", "", { ...default_approval, count: 3 }],
	];
	for (const [given, also, expected] of cases) {
		const of_tool = await load(t, `${tools(given)}${also}`);
		assert.ok(of_tool.ok, JSON.stringify(of_tool));
		const [rule] = of_tool.value.policy.servers["a"]?.tools ?? [];
		assert.deepEqual(rule?.approval, expected, `${given} with ${also}`);
		const ask = given === "required" ? "then: ask" : `ask: ${given}`;
		const of_rule = await load(t, `${server}policy: [ { tool: t, ${ask} } ]\n${also}`);
		assert.ok(of_rule.ok, JSON.stringify(of_rule));
		assert.deepEqual(of_rule.value.policy.rules[0]?.approval, expected, `${ask} with ${also}`);
	}
});

test("a file that differs under `approvals` only is no file that is the same", async (t) => {
	const before = await load(t, server);
	const after = await load(t, `${server}approvals: { other_than_caller: true }\n`);
	assert.ok(before.ok && after.ok);
	const diff = diffPlans(before.value, after.value);
	// Each of them lies in a folder of its own.
	const settings = diff.settings.filter((name) => name !== "data");
	assert.deepEqual([settings, diff.same], [["approvals"], false]);
	assert.ok(diffPlans(after.value, after.value).same);
});

test("mistakes are told with their place", async (t) => {
	const mistakes: [string, RegExp][] = [
		["approvals: { expires: 1ms }", /`approvals.expires` must be between/],
		["approvals: { wait: 11m }", /`approvals.wait` must be between/],
		["approvals: { risk: [dangerous] }", /approvals.risk/],
		["approvals: { count: 0 }", /approvals.count/],
		["approvals: { aprovers: [] }", /Did you mean `approvers`/],
	];
	for (const [text, expected] of mistakes) {
		const plan = await load(t, `${server}${text}\n`);
		assert.ok(!plan.ok, text);
		assert.equal(plan.problem[0]?.line, 3);
		assert.match(`${plan.problem[0]?.message} ${plan.problem[0]?.next}`, expected);
	}
});
