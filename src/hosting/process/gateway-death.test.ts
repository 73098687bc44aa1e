import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { after, test } from "node:test";
import { fileURLToPath } from "node:url";
import { rolldown } from "rolldown";
import { useObstacle } from "../../../test/support/hosted-child.ts";
import { eventually, markedProcesses, sees_environments } from "../../../test/support/processes.ts";
import { sandboxObstacle } from "../../../test/support/sandboxed.ts";
import { systemClock } from "../../lib/clock.ts";
import { processEnvironment } from "../../lib/environment.ts";
import { systemRandom } from "../../lib/random.ts";
import { probeContainment } from "./containment.ts";
import { listLedgers, readLedger } from "./ledger.ts";
import { createSpawner } from "./spawner.ts";

const root = await mkdtemp(join(tmpdir(), "moorage-death-"));
after(() => rm(root, { recursive: true }));

const host = fileURLToPath(new URL("../../../test/support/spawner-host.ts", import.meta.url));
const stubborn = fileURLToPath(new URL("../../../test/servers/stubborn.mjs", import.meta.url));
const probe = await probeContainment({ environment: processEnvironment(), clock: systemClock });
const no_namespaces = probe.obstacle ?? false;
const no_environments = sees_environments ? false : "survivors cannot be counted here";

let runs = 0;

/** Starts a gateway's stand-in with a stubborn server; resolves when all of it is up. */
async function startHost(mode: string, watcher_path?: string, ...more: string[]) {
	runs += 1;
	const data_dir = join(root, String(runs));
	await mkdir(data_dir);
	const args = [host, mode, data_dir, stubborn, watcher_path ?? "-", ...more];
	const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "inherit"] });
	const [line] = (await once(createInterface({ input: child.stdout }), "line")) as [string];
	const { marker_prefix } = JSON.parse(line) as { marker_prefix: string };
	assert(markedProcesses(marker_prefix).length >= 3);
	return { child, data_dir, marker_prefix };
}

const skip_namespace = no_namespaces || no_environments;
test("a gateway killed in namespace mode leaves no process", { skip: skip_namespace }, async () => {
	const { child, marker_prefix } = await startHost("pid-namespace");
	child.kill("SIGKILL");
	await once(child, "exit");
	await eventually(
		() => markedProcesses(marker_prefix),
		(left) => left.length === 0,
	);
});

test("a gateway killed in watcher mode leaves no process", { skip: no_environments }, async () => {
	const { child, data_dir, marker_prefix } = await startHost("watcher");
	child.kill("SIGKILL");
	await once(child, "exit");
	await eventually(
		() => markedProcesses(marker_prefix),
		(left) => left.length === 0,
	);
	// The ledger goes last, after the watcher has seen that nothing is left.
	await eventually(
		() => listLedgers(data_dir),
		(ledgers) => ledgers.length === 0,
	);
});

const ways: [string, string, string | false][] = [
	["2", "pid-namespace", skip_namespace || useObstacle([2], "freezer")],
	["2", "watcher", no_environments || useObstacle([2], "freezer")],
	["1", "pid-namespace", skip_namespace || useObstacle([1], "freezer")],
	["1", "watcher", no_environments || useObstacle([1], "freezer")],
	["none", "pid-namespace", skip_namespace],
	["none", "watcher", no_environments],
];
for (const [version, mode, skip] of ways) {
	test(`a gateway killed with frozen servers leaves none (groups: ${version}, ${mode})`, {
		skip,
	}, async () => {
		const { child, data_dir, marker_prefix } = await startHost(mode, "-", version);
		const ledger = await readLedger((await listLedgers(data_dir))[0] ?? "");
		child.kill("SIGKILL");
		await eventually(
			() => markedProcesses(marker_prefix),
			(left) => left.length === 0,
		);
		// Their groups are without members then, and go at the next start at the latest.
		const next = await createSpawner({
			data_dir,
			owner_id: "next",
			clock: systemClock,
			random: systemRandom,
			environment: processEnvironment(),
		});
		for (const folder of ledger?.group_folders ?? []) {
			assert.equal(existsSync(folder), false, folder);
		}
		await next.close();
	});
}

const in_namespace = no_namespaces ? "watcher" : "pid-namespace";
const sandboxes = [
	["bubblewrap", in_namespace, no_environments || (await sandboxObstacle())],
	["landlock", in_namespace, no_environments || (await sandboxObstacle("landlock"))],
	["landlock", "watcher", no_environments || (await sandboxObstacle("landlock"))],
] as const;
for (const [sandbox, mode, skip] of sandboxes) {
	for (const versions of ["-", "none", ...(useObstacle([2], "freezer") === false ? ["2"] : [])]) {
		const how = versions === "-" ? "running" : `frozen (groups: ${versions})`;
		test(`a gateway killed with ${how} sandboxed servers leaves none (${sandbox}, ${mode})`, {
			skip,
		}, async () => {
			const { child, marker_prefix } = await startHost(mode, "-", versions, sandbox);
			child.kill("SIGKILL");
			await eventually(
				() => markedProcesses(marker_prefix),
				(left) => left.length === 0,
			);
		});
	}
}

test("frozen servers without a watcher are ended by the next gateway", {
	skip: no_environments || useObstacle([1], "freezer"),
}, async () => {
	const { child, data_dir, marker_prefix } = await startHost("watcher", "/dev/null", "1");
	child.kill("SIGKILL");
	await once(child, "exit");
	assert(markedProcesses(marker_prefix).length >= 3);
	const spawner = await createSpawner({
		data_dir,
		owner_id: "next",
		clock: systemClock,
		random: systemRandom,
		environment: processEnvironment(),
	});
	assert.deepEqual(markedProcesses(marker_prefix), []);
	await spawner.close();
});

test("the watcher works from a bundle as well", { skip: no_environments }, async () => {
	const bundle = await rolldown({
		input: fileURLToPath(new URL("./watcher.ts", import.meta.url)),
		platform: "node",
	});
	const watcher_path = join(root, "watcher.mjs");
	await bundle.write({ file: watcher_path });
	await bundle.close();
	const { child, marker_prefix } = await startHost("watcher", watcher_path);
	child.kill("SIGKILL");
	await eventually(
		() => markedProcesses(marker_prefix),
		(left) => left.length === 0,
	);
});

test("killing the watcher brings another, and together they leave nothing", {
	skip: no_environments,
}, async () => {
	const { child, marker_prefix } = await startHost("watcher");
	const run_id = marker_prefix.slice(marker_prefix.indexOf("=") + 1, -1);
	const first = await eventually(
		() => pidsOf("watcher.ts", run_id),
		(pids) => pids.length === 1,
	);
	process.kill(first[0] ?? 0, "SIGKILL");
	await eventually(
		() => pidsOf("watcher.ts", run_id),
		(pids) => pids.length === 1 && pids[0] !== first[0],
	);
	child.kill("SIGKILL");
	await eventually(
		() => markedProcesses(marker_prefix),
		(left) => left.length === 0,
	);
});

test("without a watcher the next gateway sweeps what is left", {
	skip: no_environments,
}, async () => {
	// This watcher does nothing at all, as if it had been killed together with the gateway.
	const { child, data_dir, marker_prefix } = await startHost("watcher", "/dev/null");
	child.kill("SIGKILL");
	await once(child, "exit");
	assert(markedProcesses(marker_prefix).length >= 3);
	const spawner = await createSpawner({
		data_dir,
		owner_id: "next",
		clock: systemClock,
		random: systemRandom,
		environment: processEnvironment(),
	});
	assert.deepEqual(markedProcesses(marker_prefix), []);
	await spawner.close();
	assert.deepEqual(await listLedgers(data_dir), []);
});

/** Pids of processes whose command line holds both words. */
async function pidsOf(...words: string[]): Promise<number[]> {
	const ps = spawn("ps", ["-axo", "pid=,args="], { stdio: ["ignore", "pipe", "ignore"] });
	const pids: number[] = [];
	for await (const line of createInterface({ input: ps.stdout })) {
		if (words.every((word) => line.includes(word))) {
			pids.push(Number.parseInt(line, 10));
		}
	}
	return pids;
}
