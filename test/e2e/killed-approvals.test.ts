import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { stdioFixture } from "../support/gateway.ts";
import { type MoorageProcess, startMoorage } from "../support/moorage-process.ts";
import { eventually } from "../support/processes.ts";
import { runCli } from "../support/run-cli.ts";
import { openLegacy } from "../support/wire-clients.ts";

/** A gateway that can be killed and started again on the same folder. */
async function scene(t: TestContext) {
	const home = await mkdtemp(join(tmpdir(), "moorage-killed-approvals-"));
	t.after(() => rm(home, { recursive: true, force: true }));
	const config = join(home, "moorage.yaml");
	const data = join(home, "data");
	const slow = { ...stdioFixture("slow"), tools: { hold: { approval: "required" } } };
	const form = { version: 1, servers: { slow }, approvals: { wait: "100ms" } };
	await writeFile(config, JSON.stringify(form));
	const cli = async <Value>(...words: string[]) => {
		const done = await runCli([...words, "--data", data, "--json"], { cwd: home });
		assert.equal(done.code, 0, done.stderr);
		return JSON.parse(done.stdout) as Value;
	};
	const states = async () => {
		const { approvals } = await cli<{ approvals: { id: string; state: string; after?: string }[] }>(
			"approvals",
			"--all",
		);
		return approvals;
	};
	const start = async () => {
		const gateway = await startMoorage(config, data);
		t.after(() => gateway.process.kill("SIGKILL"));
		return gateway;
	};
	return { start, cli, states };
}

/** Makes the one call of these tests. */
async function hold(gateway: MoorageProcess): Promise<string> {
	const client = await openLegacy(gateway.address("slow"));
	const { result } = await client.call("hold", '{"key":"k"}');
	return JSON.stringify(result);
}

test("what was approved survives a kill, runs once, and is not repeated when its fate is unknown", async (t) => {
	const { start, cli, states } = await scene(t);
	const first = await start();
	assert.match(await hold(first), /approval_pending/);
	const [waiting] = await states();
	assert.equal(waiting?.state, "pending");
	const id = waiting?.id ?? "";
	await cli("approve", id);
	await first.kill();

	// Killed between the decision and the execution: the decision stands.
	const second = await start();
	assert.deepEqual(
		(await states()).map(({ state }) => state),
		["approved"],
	);
	const lost = hold(second).catch(() => "the connection broke");
	await eventually(states, (all) => all[0]?.state === "running");
	await second.kill();
	await lost;

	// Killed while it ran: nobody knows what became of it, and it is not made again by itself.
	const third = await start();
	assert.deepEqual(
		(await states()).map(({ state }) => state),
		["unknown"],
	);
	const again = await hold(third);
	assert.match(again, /approval_pending/);
	assert.match(again, /It may have run before/);
	const [anew] = await states();
	assert.equal(anew?.state, "pending");
	assert.equal(anew?.after, id);
	assert.equal(await third.stop(), 0);
});
