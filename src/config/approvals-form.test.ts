import assert from "node:assert/strict";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { default_approvals } from "./approvals-plan.ts";
import { loadPlan } from "./load.ts";

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
});

test("a block without anything in it is what holds by default", async (t) => {
	const plan = await load(t, `${server}approvals: {}\n`);
	assert.ok(plan.ok);
	assert.deepEqual(plan.value.approvals, default_approvals);
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
