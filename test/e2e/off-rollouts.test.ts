import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { AdminReleases } from "../support/admin-releases.ts";
import { adminDone } from "../support/admin-request.ts";
import { startGateway, stdioFixture, type TestGateway } from "../support/gateway.ts";
import { eventually } from "../support/processes.ts";
import { textOf } from "../support/raw-client.ts";
import { ModernWire } from "../support/wire-clients.ts";

/** New versions on their way whose server is switched off: nothing of them is started. */

const rollout = { percent: 50, watch: "1h" };
const config = (version: string, more: object = {}) => ({
	servers: { one: { ...stdioFixture("versioned"), env: { VERSION: version }, ...more } },
});
const target = { kind: "server", name: "one", reason: "It does what it should not." };

const kill = (gateway: TestGateway) => adminDone(gateway, "POST", "/api/kill-switches", target);
const unkill = (gateway: TestGateway) =>
	adminDone(gateway, "DELETE", `/api/kill-switches/${encodeURIComponent("server:one")}`);

async function statesOf(gateway: TestGateway): Promise<string> {
	const { versions, rollout: now } = await new AdminReleases(gateway).versions("one");
	return [...versions.map(({ state }) => state), now?.state ?? "none"].join(" ");
}

async function starts(gateway: TestGateway): Promise<string[]> {
	return (await new AdminReleases(gateway).lines("one")).filter((line) => /start/.test(line));
}

/** The next run of a gateway that ended with version 2 having a share, and its server off. */
async function nextRun(t: TestContext): Promise<TestGateway> {
	const folder = await mkdtemp(join(tmpdir(), "moorage-test-"));
	const first = await startGateway(config("1"), { folder });
	assert.ok((await first.reconfigure(config("2", { rollout }))).ok);
	assert.equal(await statesOf(first), "active trial sharing");
	await kill(first);
	await first.stop();
	const second = await startGateway(config("2", { rollout }), { folder });
	t.after(async () => {
		await second.stop();
		await rm(folder, { recursive: true, force: true });
	});
	return second;
}

test("a version that was on its way waits until its server is on again", async (t) => {
	const gateway = await nextRun(t);
	assert.deepEqual(await starts(gateway), []);
	assert.equal(await statesOf(gateway), "active trial none");
	const { versions } = await new AdminReleases(gateway).versions("one");
	assert.match(versions[1]?.reason ?? "", /waits until the server is switched on again/);
	const promoted = await new AdminReleases(gateway).promote("one");
	assert.equal(promoted.ok ? "done" : promoted.code, "nothing_to_do");
	await unkill(gateway);
	await eventually(
		() => statesOf(gateway),
		(found) => found === "active trial sharing",
	);
	const [, second] = (await new AdminReleases(gateway).versions("one")).versions;
	assert.equal(second?.reason, undefined);
});

test("what a server runs is known while it is off, so that its package is kept", async (t) => {
	const folder = await mkdtemp(join(tmpdir(), "moorage-test-"));
	const first = await startGateway(config("1"), { folder });
	await kill(first);
	await first.stop();
	const second = await startGateway(config("1"), { folder });
	t.after(async () => {
		await second.stop();
		await rm(folder, { recursive: true, force: true });
	});
	assert.deepEqual(await starts(second), []);
	const { versions } = await new AdminReleases(second).versions("one");
	assert.match(versions[0]?.package?.digest ?? "", /^sha256-/);
});

test("a version that waits for its server is given up for another one", async (t) => {
	const gateway = await nextRun(t);
	assert.ok((await gateway.reconfigure(config("3"))).ok);
	assert.equal(await statesOf(gateway), "retired failed active none");
	await unkill(gateway);
	assert.equal(textOf(await new ModernWire(gateway.address("one")).call("version")), "3");
	assert.equal(await statesOf(gateway), "retired failed active none");
});
