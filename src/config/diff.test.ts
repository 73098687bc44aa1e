import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { tempFolder } from "../../test/support/temp-folder.ts";
import { diffPlans, waitingSettings } from "./diff.ts";
import { loadPlan } from "./load.ts";
import type { Plan } from "./plan.ts";

async function plans(context: TestContext, ...texts: string[]): Promise<Plan[]> {
	const cwd = await tempFolder(
		context,
		Object.fromEntries(texts.map((text, at) => [`${at}.yaml`, text])),
	);
	const loads = texts.map((_, at) =>
		loadPlan({ path: `${at}.yaml`, cwd, environment: {}, home: "/", overrides: {} }),
	);
	const loaded = await Promise.all(loads);
	return loaded.map((one) => {
		assert.ok(one.ok);
		return one.value;
	});
}

const base = "servers: { a: { command: a }, b: { command: b }, c: { command: c } }\n";

test("servers are added, removed, changed or left alone", async (context) => {
	const after = "servers: { d: { command: d }, c: { command: c2 }, a: { command: a } }\n";
	const [before, changed] = (await plans(context, base, after)) as [Plan, Plan];
	assert.deepEqual(diffPlans(before, changed), {
		added: ["d"],
		removed: ["b"],
		changed: ["c"],
		unchanged: ["a"],
		settings: [],
		same: false,
	});
});

test("the same configuration written otherwise is the same", async (context) => {
	const otherwise =
		"# a comment\nservers:\n  c: { command: [c] }\n  a: { command: a }\n  b: { command: b }\n";
	const [before, after] = (await plans(context, base, otherwise)) as [Plan, Plan];
	const diff = diffPlans(before, after);
	assert.equal(diff.same, true);
	assert.deepEqual(diff.unchanged, ["c", "a", "b"]);
});

test("each setting beside the servers is told apart", async (context) => {
	const parts = [
		["listen: 127.0.0.1:1\n", "listen"],
		["data: ./other\n", "data"],
		["endpoints: { all: { servers: [a] } }\n", "endpoints"],
		["allowed_hosts: [a]\n", "allowed_hosts"],
		["allowed_origins: ['https://a']\n", "allowed_origins"],
		["sse: off\n", "sse"],
		["identity: {}\n", "identity"],
		[`identity: { keys: [{ name: a, hash: "sha256:${"a".repeat(64)}" }] }\n`, "identity"],
		["limits: { sessions: 1 }\n", "limits"],
		["trusted_proxies: [10.0.0.1]\n", "trusted_proxies"],
		["policy: { default: deny }\n", "policy"],
		["calls: { log: stdout }\n", "calls"],
		["audit: { keep_days: 9 }\n", "audit"],
	] as const;
	const [before, ...after] = await plans(context, base, ...parts.map(([text]) => base + text));
	for (const [index, [text, setting]] of parts.entries()) {
		const diff = diffPlans(before as Plan, after[index] as Plan);
		assert.deepEqual([diff.settings, diff.same], [[setting], false], text);
		const waits = ["listen", "tls", "data"].includes(setting);
		assert.deepEqual(waitingSettings(diff), waits ? [setting] : [], text);
	}
});
