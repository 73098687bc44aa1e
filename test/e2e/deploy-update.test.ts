import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { AdminReleases } from "../support/admin-releases.ts";
import { floatingServer } from "../support/floating-server.ts";
import { startGateway, type TestGateway } from "../support/gateway.ts";
import { type NpmRegistry, startNpmRegistry } from "../support/npm-registry.ts";
import { textOf } from "../support/raw-client.ts";
import { ModernWire } from "../support/wire-clients.ts";

/** Packages whose version the command leaves open: locked until a deploy asks for a newer one. */

const npm = ["/usr/bin/npm", "/usr/local/bin/npm"].some(existsSync);

describe("a package that is named without a version", { skip: !npm && "npm is not here" }, () => {
	let registry: NpmRegistry;
	let gateway: TestGateway;
	let folder: string;
	const publish = (version: string, tools: readonly string[], broken?: boolean) =>
		registry.publish("floating", version, { "main.mjs": floatingServer(version, tools, broken) });
	const start = () =>
		startGateway(
			{ servers: { one: { command: "npx -y floating" }, two: { command: "npx -y floating" } } },
			{
				folder,
				environment: registry.environment(folder),
			},
		);
	before(async () => {
		folder = await mkdtemp(join(tmpdir(), "moorage-test-"));
		registry = await startNpmRegistry();
		publish("1.0.0", ["version", "old"]);
		gateway = await start();
	});
	after(async () => {
		await gateway.stop();
		await registry.stop();
		await rm(folder, { recursive: true, force: true });
	});

	const releases = () => new AdminReleases(gateway);
	const lock = () => readFile(join(folder, "moorage.lock"), "utf8");
	const versionAt = async (server: string) =>
		textOf(await new ModernWire(gateway.address(server)).call("version"));
	const statesOf = async () =>
		(await releases().versions("one")).versions.map(({ number, state, package: what }) =>
			[number, state, what?.version].join(" "),
		);

	test("is updated by no plain deploy, and not where there is nothing newer", async () => {
		assert.equal(await versionAt("one"), "1.0.0");
		const newest = await releases().deploy("one", { update: true });
		assert.ok(!newest.ok);
		assert.equal(newest.code, "nothing_to_do");
		publish("1.1.0", ["version", "new"]);
		assert.ok((await releases().deploy("one", {})).ok);
		assert.equal(await versionAt("one"), "1.0.0");
	});

	test("is looked at without changing anything", async () => {
		const [before_lock, before_states] = [await lock(), await statesOf()];
		const looked = await releases().deploy("one", { update: true, plan: true });
		assert.ok(looked.ok, JSON.stringify(looked));
		assert.equal(looked.value.state, "planned");
		assert.deepEqual(looked.value.changes, [
			"package floating 1.0.0 -> 1.1.0",
			'tool "old" was removed',
			'tool "new" was added',
		]);
		assert.match(looked.value.warnings.join("\n"), /may break clients.*"two" asks for the same/s);
		assert.equal(await lock(), before_lock);
		assert.deepEqual(await statesOf(), before_states);
		assert.equal(await versionAt("one"), "1.0.0");
	});

	test("leaves the lock as it is when its newest version does not start", async () => {
		publish("1.2.0", ["version"], true);
		const before_lock = await lock();
		const looked = await releases().deploy("one", { update: true, plan: true });
		const deployed = await releases().deploy("one", { update: true });
		assert.ok(!looked.ok && !deployed.ok);
		assert.deepEqual([looked.code, deployed.code], ["release_failed", "release_failed"]);
		assert.equal(await lock(), before_lock);
		assert.equal(await versionAt("one"), "1.0.0");
		assert.match((await statesOf()).at(-1) ?? "", /failed/);
	});

	test("is not said to take over where it cannot be locked", async () => {
		publish("1.3.0", ["version"]);
		const before_lock = await lock();
		assert.ok((await releases().deploy("one", { update: true, hold: true })).ok);
		await writeFile(join(folder, "moorage.lock"), "{");
		const promoted = await releases().promote("one");
		await writeFile(join(folder, "moorage.lock"), before_lock);
		assert.ok(!promoted.ok);
		assert.equal(promoted.code, "release_failed");
		assert.equal(await versionAt("one"), "1.0.0");
		assert.match((await statesOf()).at(-1) ?? "", /failed/);
	});

	test("is locked anew once its newest version takes over", async () => {
		publish("2.0.0", ["version", "new"]);
		const before_lock = await lock();
		const held = await releases().deploy("one", { update: true, hold: true });
		assert.ok(held.ok, JSON.stringify(held));
		assert.match(held.value.warnings.join("\n"), /major/i);
		assert.equal(await lock(), before_lock, "a version that waits is not locked");
		assert.ok((await releases().promote("one")).ok);
		assert.match(await lock(), /"version": "2\.0\.0"/);
		assert.equal(await versionAt("one"), "2.0.0");
		assert.equal(await versionAt("two"), "1.0.0", "another server changes with its own restart");
	});

	test("goes back to exactly what ran before, in the lock too", async () => {
		const rolled = await releases().rollback("one");
		assert.ok(rolled.ok, JSON.stringify(rolled));
		assert.equal(await versionAt("one"), "1.0.0");
		assert.match(await lock(), /"version": "1\.0\.0"/);
		assert.match((await statesOf()).join("\n"), /active 1\.0\.0[^]*retired 2\.0\.0/);
	});

	test("that waits for a word is still the same after a restart of the gateway", async () => {
		assert.ok((await releases().deploy("one", { update: true, hold: true })).ok);
		publish("3.0.0", ["version"]);
		await gateway.stop();
		gateway = await start();
		assert.equal(await versionAt("one"), "1.0.0");
		await gateway.daemon.settled(30_000);
		const promoted = await promoteWhenHeld();
		assert.ok(promoted.ok, JSON.stringify(promoted));
		assert.equal(await versionAt("one"), "2.0.0");
	});

	/** A version that goes on after a restart is checked first. */
	async function promoteWhenHeld() {
		for (;;) {
			const { rollout } = await releases().versions("one");
			if (rollout?.state !== "checking") return await releases().promote("one");
		}
	}
});
