import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import {
	confinement,
	echo,
	lineOf,
	makeSpawner,
	startHosted,
	useObstacle,
} from "../../../test/support/hosted-child.ts";
import { eventually, markedProcesses, sees_environments } from "../../../test/support/processes.ts";
import { systemClock } from "../../lib/clock.ts";
import { processEnvironment } from "../../lib/environment.ts";
import type { ChildHandle, Hibernation } from "../../upstreams/driver.ts";
import type { ContainmentMode } from "./containment.ts";
import { probeContainment } from "./containment.ts";
import type { ProcessSpawner } from "./spawner.ts";

const root = await mkdtemp(join(tmpdir(), "moorage-freezing-"));
after(() => rm(root, { recursive: true }));

const stubborn = fileURLToPath(new URL("../../../test/servers/stubborn.mjs", import.meta.url));
const { obstacle } = await probeContainment({
	environment: processEnvironment(),
	clock: systemClock,
});

const windows = process.platform === "win32" ? "Windows cannot stop processes" : false;
const no_namespace = obstacle ?? false;
const ways: [string, ContainmentMode, readonly (1 | 2)[], string | false][] = [
	["groups of version 2", "pid-namespace", [2], no_namespace || useObstacle([2], "freezer")],
	["groups of version 2", "watcher", [2], useObstacle([2], "freezer")],
	["groups of version 1", "pid-namespace", [1], no_namespace || useObstacle([1], "freezer")],
	["groups of version 1", "watcher", [1], useObstacle([1], "freezer")],
	["signals", "pid-namespace", [], no_namespace],
	["signals", "watcher", [], windows],
];

/** Long enough never to be waited for, so that a test that needs it would hang. */
const patient_ms = 60_000;

function hibernationOf(child: ChildHandle): Hibernation {
	assert(child.hibernation !== undefined);
	return child.hibernation;
}

async function freeze(child: ChildHandle): Promise<void> {
	assert.equal(await hibernationOf(child).freeze(), true);
}

async function startCat(spawner: ProcessSpawner): Promise<ChildHandle> {
	const child = await startHosted(spawner, { command: "cat", confinement: confinement(root) });
	await echo(child, "up");
	return child;
}

async function startStubborn(spawner: ProcessSpawner): Promise<ChildHandle> {
	const child = await startHosted(spawner, {
		args: [stubborn],
		confinement: confinement(root),
	});
	await lineOf(child, "stubborn: all up");
	return child;
}

/** A frozen program does nothing while its neighbour answers many times over. */
async function assertSilent(frozen: ChildHandle, neighbour: ChildHandle): Promise<void> {
	let said = "";
	const listen = (chunk: Buffer): void => {
		said += chunk.toString();
	};
	frozen.stdout.on("data", listen);
	for (let round = 0; round < 50; round += 1) {
		await echo(neighbour, `round ${round}`);
	}
	assert.equal(said, "");
	frozen.stdout.off("data", listen);
}

function assertNothingLeft(spawner: ProcessSpawner): void {
	if (sees_environments) {
		assert.deepEqual(markedProcesses(spawner.marker_prefix), []);
	}
}

for (const [way, mode, group_versions, skip] of ways) {
	describe(`frozen by ${way}, contained by ${mode}`, { skip }, () => {
		const options = { containment: mode, group_versions };

		test("a frozen program does nothing, and reads what it was sent when it wakes", async () => {
			await using spawner = await makeSpawner(options);
			const [child, neighbour] = [await startCat(spawner), await startCat(spawner)];
			await freeze(child);
			await freeze(child);
			child.stdin.write("while asleep\n");
			await assertSilent(child, neighbour);
			const heard = new Promise<string>((resolve) => {
				child.stdout.once("data", (chunk: Buffer) => resolve(chunk.toString()));
			});
			await hibernationOf(child).thaw();
			await hibernationOf(child).thaw();
			assert.equal(await heard, "while asleep\n");
			await echo(child, "awake");
		});

		test("everything a program started is frozen with it", async () => {
			await using spawner = await makeSpawner(options);
			const script = "sleep 1000 & while read -r line; do echo $line; done";
			const child = await startHosted(spawner, {
				command: "/bin/sh",
				args: ["-c", `(${script}) | cat`],
				confinement: confinement(root),
			});
			await echo(child, "up");
			const neighbour = await startCat(spawner);
			await freeze(child);
			child.stdin.write("while asleep\n");
			await assertSilent(child, neighbour);
			await hibernationOf(child).thaw();
			await echo(child, "awake");
		});

		test("freezing and waking may follow each other at any pace", async () => {
			await using spawner = await makeSpawner(options);
			const child = await startCat(spawner);
			const sleeper = hibernationOf(child);
			for (let round = 0; round < 20; round += 1) {
				const freezing = sleeper.freeze();
				if (round % 2 === 0) {
					await freezing;
				}
				await sleeper.thaw();
				await echo(child, `round ${round}`);
				await freezing;
			}
			// The wake that came last counts, although a freeze was still under way.
			const freezings = [sleeper.freeze(), sleeper.thaw(), sleeper.freeze(), sleeper.thaw()];
			await Promise.all(freezings);
			await echo(child, "awake");
			await freeze(child);
		});

		test("a frozen program is killed with all it started", async () => {
			await using spawner = await makeSpawner(options);
			const child = await startStubborn(spawner);
			await freeze(child);
			child.kill();
			assert.deepEqual(await child.exited, { code: null, signal: "SIGKILL" });
			await child.stop(patient_ms);
			assertNothingLeft(spawner);
			assert.equal(await hibernationOf(child).freeze(), false);
			await hibernationOf(child).thaw();
		});

		test("a frozen program is woken to be stopped, and ends politely", async () => {
			await using spawner = await makeSpawner(options);
			const child = await startCat(spawner);
			await freeze(child);
			await child.stop(patient_ms);
			assert.deepEqual(await child.exited, { code: 0, signal: null });
		});

		test("what is being stopped cannot be frozen any more", async () => {
			await using spawner = await makeSpawner(options);
			const child = await startCat(spawner);
			const stopped = child.stop(patient_ms);
			assert.equal(await hibernationOf(child).freeze(), false);
			await stopped;
		});

		test("closing ends what is frozen", async () => {
			const spawner = await makeSpawner(options);
			const children = [await startStubborn(spawner), await startCat(spawner)];
			await Promise.all(children.map(freeze));
			await spawner[Symbol.asyncDispose]();
			assertNothingLeft(spawner);
		});

		test("a program that was killed from outside while frozen is gone", async () => {
			await using spawner = await makeSpawner(options);
			const child = await startCat(spawner);
			await freeze(child);
			process.kill(child.pid, "SIGKILL");
			if (group_versions.includes(1)) {
				// Here the kernel lets it die only when it is thawed.
				await hibernationOf(child).thaw();
			}
			assert.deepEqual((await child.exited).signal, "SIGKILL");
			assert.equal(await hibernationOf(child).freeze(), false);
		});

		test("what it uses is told, asleep or not", async (t) => {
			if (process.platform !== "linux") {
				t.skip("usage is read on Linux only");
				return;
			}
			await using spawner = await makeSpawner(options);
			const child = await startStubborn(spawner);
			const awake = await hibernationOf(child).usage();
			assert(awake !== undefined);
			assert(awake.processes >= 3 && awake.processes <= 8, `${awake.processes} processes`);
			assert(awake.memory_bytes > 10 * 1024 ** 2, `${awake.memory_bytes} bytes`);
			assert(awake.cpu_ms > 0);
			await freeze(child);
			const asleep = await hibernationOf(child).usage();
			assert.equal(asleep?.processes, awake.processes);
			assert.equal((await hibernationOf(child).usage())?.cpu_ms, asleep?.cpu_ms);
		});
	});
}

test("a program whose freezing is not finished is not taken for frozen", async () => {
	await using spawner = await makeSpawner();
	const child = await startCat(spawner);
	assert.equal(await hibernationOf(child).reclaim(), 0);
	await eventually(
		() => hibernationOf(child).freeze(),
		(frozen) => frozen,
	);
	assert((await hibernationOf(child).reclaim()) >= 0);
});
