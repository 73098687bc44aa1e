import assert from "node:assert/strict";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { after, describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { hastyClock, patient_ms } from "../../../test/support/hasty-clock.ts";
import { eventually, markedProcesses, sees_environments } from "../../../test/support/processes.ts";
import { systemClock } from "../../lib/clock.ts";
import { processEnvironment } from "../../lib/environment.ts";
import { systemRandom } from "../../lib/random.ts";
import type { ChildHandle, SpawnRequest } from "../../upstreams/driver.ts";
import type { ContainmentMode } from "./containment.ts";
import { probeContainment } from "./containment.ts";
import { ledgerPath, listLedgers, readLedger } from "./ledger.ts";
import type { ProcessSpawner, SpawnerOptions } from "./spawner.ts";
import { createSpawner } from "./spawner.ts";

const root = await mkdtemp(join(tmpdir(), "moorage-spawner-"));
after(() => rm(root, { recursive: true }));

const stubborn = fileURLToPath(new URL("../../../test/servers/stubborn.mjs", import.meta.url));
const environment = processEnvironment();
const probe = await probeContainment({ environment, clock: systemClock });

let folders = 0;
async function makeSpawner(
	mode: ContainmentMode,
	more: Partial<SpawnerOptions> = {},
): Promise<ProcessSpawner & AsyncDisposable> {
	folders += 1;
	const data_dir = join(root, String(folders));
	await mkdir(data_dir);
	const spawner = await createSpawner({
		data_dir,
		owner_id: "test",
		clock: systemClock,
		random: systemRandom,
		environment,
		containment: mode,
		...more,
	});
	return Object.assign(spawner, { [Symbol.asyncDispose]: () => spawner.close() });
}

async function start(
	spawner: ProcessSpawner,
	request: Partial<SpawnRequest>,
): Promise<ChildHandle> {
	const result = await spawner.spawn({
		server: "it",
		command: process.execPath,
		args: [],
		env: {},
		cwd: root,
		...request,
	});
	assert(result.ok, result.ok ? "" : result.problem.message);
	return result.value;
}

/** Starts the stubborn server and waits until it and its descendants are up. */
async function startStubborn(spawner: ProcessSpawner): Promise<ChildHandle> {
	const child = await start(spawner, { args: [stubborn] });
	await lineOf(child, "stubborn: all up");
	return child;
}

/** Resolves when the child has written this line to its standard error. */
async function lineOf(child: ChildHandle, line: string): Promise<void> {
	let seen = "";
	await new Promise<void>((resolve) => {
		child.stderr.on("data", (chunk: Buffer) => {
			seen += chunk.toString();
			if (seen.split("\n").includes(line)) {
				resolve();
			}
		});
	});
}

function assertNothingLeft(spawner: ProcessSpawner): void {
	if (sees_environments) {
		assert.deepEqual(markedProcesses(spawner.marker_prefix), []);
	}
}

const modes: [ContainmentMode, string | false][] = [
	["pid-namespace", probe.obstacle ?? false],
	["watcher", false],
];
for (const [mode, skip] of modes) {
	describe(`contained by ${mode}`, { skip }, () => {
		test("a program gets its input, arguments, folder and environment", async () => {
			await using spawner = await makeSpawner(mode);
			const script =
				"process.stdin.pipe(process.stdout); process.stderr.write(JSON.stringify(" +
				"[process.argv.slice(1), process.cwd(), process.env.MINE, process.env.NODE_OPTIONS ?? null]))";
			const child = await start(spawner, {
				args: ["-e", script, "--", "one two", "$X"],
				env: { MINE: "yes" },
			});
			child.stdin.end("hello");
			assert.equal(await text(child.stdout), "hello");
			const said = JSON.parse(await text(child.stderr));
			assert.deepEqual(said, [["one two", "$X"], root, "yes", null]);
			assert.deepEqual(await child.exited, { code: 0, signal: null });
		});

		test("the exit code is the server's own", async () => {
			await using spawner = await makeSpawner(mode);
			for (const code of [1, 42, 126, 255]) {
				const child = await start(spawner, { args: ["-e", `process.exit(${code})`] });
				assert.deepEqual(await child.exited, { code, signal: null });
			}
		});

		test("the signal that ended the server is named", async () => {
			await using spawner = await makeSpawner(mode);
			for (const signal of ["SIGKILL", "SIGSEGV", "SIGTERM", "SIGINT"]) {
				const script = `process.kill(process.pid, "${signal}"); setInterval(() => {}, 1000)`;
				const child = await start(spawner, { args: ["-e", script] });
				assert.deepEqual(await child.exited, { code: null, signal });
			}
		});

		test("a polite server ends when its input is closed, without waiting", async () => {
			await using spawner = await makeSpawner(mode);
			const child = await start(spawner, { command: "cat" });
			await child.stop(patient_ms);
			assert.deepEqual(await child.exited, { code: 0, signal: null });
		});

		test("a server that does not mind its input is asked with SIGTERM", async () => {
			await using spawner = await makeSpawner(mode, { clock: hastyClock(1) });
			const script =
				'process.on("SIGTERM", () => process.exit(7)); setInterval(() => {}, 1000);' +
				'console.error("up")';
			const child = await start(spawner, { args: ["-e", script] });
			await lineOf(child, "up");
			await child.stop(patient_ms);
			assert.deepEqual(await child.exited, { code: 7, signal: null });
		});

		test("SIGTERM has its default action, although the server started no handler", async () => {
			await using spawner = await makeSpawner(mode, { clock: hastyClock(1) });
			const script = "echo up >&2; exec sleep 1000";
			const child = await start(spawner, { command: "/bin/sh", args: ["-c", script] });
			await lineOf(child, "up");
			await child.stop(patient_ms);
			assert.deepEqual(await child.exited, { code: null, signal: "SIGTERM" });
		});

		test("a stubborn server is killed with everything it started, hidden or not", async () => {
			await using spawner = await makeSpawner(mode, { clock: hastyClock(2) });
			const child = await startStubborn(spawner);
			if (sees_environments) {
				assert(markedProcesses(spawner.marker_prefix).length >= 3);
			}
			await child.stop(patient_ms);
			assertNothingLeft(spawner);
			assert.deepEqual(await child.exited, { code: null, signal: "SIGKILL" });
		});

		test("kill ends everything at once", async () => {
			await using spawner = await makeSpawner(mode);
			const child = await startStubborn(spawner);
			child.kill();
			child.kill();
			assert.deepEqual(await child.exited, { code: null, signal: "SIGKILL" });
			await child.stop(patient_ms);
			assertNothingLeft(spawner);
		});

		test("kill in the middle of a patient stop ends the patience", async () => {
			await using spawner = await makeSpawner(mode);
			const child = await startStubborn(spawner);
			const stopped = child.stop(patient_ms);
			child.kill();
			await stopped;
			assertNothingLeft(spawner);
		});

		test("what a server leaves behind when it ends is ended too", async () => {
			await using spawner = await makeSpawner(mode);
			const script =
				'require("node:child_process").spawn("sleep", ["1000"], { detached: true, stdio: "ignore" })' +
				".unref()";
			const child = await start(spawner, { args: ["-e", script] });
			assert.deepEqual(await child.exited, { code: 0, signal: null });
			await child.stop(patient_ms);
			assertNothingLeft(spawner);
		});

		test("servers are told apart: stopping one leaves its neighbours alone", async () => {
			await using spawner = await makeSpawner(mode);
			const children = await Promise.all(
				Array.from({ length: 12 }, () => start(spawner, { command: "cat" })),
			);
			await children[0]?.stop(patient_ms);
			children[1]?.kill();
			await children[1]?.exited;
			const others = children.slice(2);
			for (const other of others) {
				other.stdin.write("still here\n");
				const [line] = (await once(other.stdout)) as [Buffer];
				assert.equal(line.toString(), "still here\n");
			}
		});

		test("a server that closes its input early does not disturb the gateway", async () => {
			await using spawner = await makeSpawner(mode);
			const child = await start(spawner, { command: "true" });
			await child.exited;
			child.stdin.write("into the void");
			await child.stop(patient_ms);
		});

		test("the ledger holds what runs, and goes with the spawner", async () => {
			await using spawner = await makeSpawner(mode);
			const child = await start(spawner, { command: "cat" });
			const path = (await listLedgers(join(root, String(folders))))[0] ?? "";
			const entries = (await readLedger(path))?.entries ?? [];
			assert.deepEqual(
				entries.map(({ pid, server }) => ({ pid, server })),
				[{ pid: child.pid, server: "it" }],
			);
			await child.stop(patient_ms);
			await eventually(
				async () => (await readLedger(path))?.entries.length,
				(count) => count === 0,
			);
			await spawner.close();
			assert.deepEqual(await listLedgers(join(root, String(folders))), []);
		});

		test("closing kills all that runs and refuses to start more", async () => {
			const spawner = await makeSpawner(mode);
			await Promise.all([startStubborn(spawner), startStubborn(spawner)]);
			await spawner.close();
			assertNothingLeft(spawner);
			const refused = await spawner.spawn({
				server: "it",
				command: "cat",
				args: [],
				env: {},
				cwd: root,
			});
			assert(!refused.ok);
			assert.equal(refused.problem.code, "gateway_stopping");
		});
	});
}

test("a program that cannot be run is a fault that names it", async () => {
	await using spawner = await makeSpawner("watcher");
	await writeFile(join(root, "plain"), "text");
	const table: [Partial<SpawnRequest>, string, RegExp][] = [
		[
			{ command: "no-such-program", env: { PATH: "/usr/bin:/bin" } },
			"command_missing",
			/no-such-program is not installed/u,
		],
		[{ command: "./nowhere" }, "command_missing", /\.\/nowhere does not exist/u],
		[{ command: "./plain" }, "command_missing", /plain is not executable.*chmod/u],
		[{ command: root }, "command_missing", /is a folder/u],
		[{ cwd: join(root, "gone") }, "server_failed", /folder .*gone does not exist/u],
		[{ args: ["a\0b"] }, "server_failed", /NUL/u],
		[{ args: ["x".repeat(3_000_000)] }, "server_failed", /too long/u],
		[{ env: { PATH: "/nowhere" }, command: "cat" }, "command_missing", /cat is not installed/u],
	];
	for (const [change, code, message] of table) {
		const result = await spawner.spawn({
			server: "it",
			command: process.execPath,
			args: [],
			env: {},
			cwd: root,
			...change,
		});
		assert(!result.ok);
		assert.equal(result.problem.code, code);
		assert.match(result.problem.message, message);
		assert.equal(result.problem.server, "it");
		assert.equal(result.problem.retry_safe, true);
	}
});

test("a former owner's leftovers are swept, and a pid that means another process is spared", async () => {
	await using bystanders = await makeSpawner("watcher");
	const meant = await start(bystanders, { command: "sleep", args: ["1000"] });
	const spared = await start(bystanders, { command: "sleep", args: ["1000"] });
	const path = (await listLedgers(join(root, String(folders))))[0] ?? "";
	const entries = (await readLedger(path))?.entries ?? [];

	const data_dir = join(root, "former");
	await mkdir(join(data_dir, "run"), { recursive: true });
	const records = [
		{ owner_id: "former", pid: 2 ** 30, start_time: "gone" },
		entries.find(({ pid }) => pid === meant.pid),
		{ ...entries.find(({ pid }) => pid === spared.pid), start_time: "earlier" },
	];
	const ledger = records.map((record) => `${JSON.stringify(record)}\n`).join("");
	await writeFile(ledgerPath(data_dir, "former"), ledger);

	await using _next = await makeSpawner("watcher", { data_dir });
	assert.deepEqual(await meant.exited, { code: null, signal: "SIGKILL" });
	const alive = await bystanders.spawn({
		server: "check",
		command: "kill",
		args: ["-0", String(spared.pid)],
		env: {},
		cwd: "/",
	});
	assert(alive.ok);
	assert.deepEqual(await alive.value.exited, { code: 0, signal: null });
	assert.equal((await listLedgers(data_dir)).length, 1);
});

test("the ledger of an owner that runs is left alone", async () => {
	const data_dir = join(root, "shared");
	await mkdir(data_dir);
	await using first = await makeSpawner("watcher", { data_dir });
	const child = await start(first, { command: "cat" });
	await using second = await makeSpawner("watcher", { data_dir });
	assert.equal(await second.sweep(), 0);
	child.stdin.end("alive");
	assert.equal(await text(child.stdout), "alive");
});

test("an owner's name that could leave its folder is a programmer's error", async () => {
	await assert.rejects(makeSpawner("watcher", { owner_id: "../x" }), /owner_id/u);
});

function once(stream: NodeJS.ReadableStream): Promise<unknown[]> {
	return new Promise((resolve) => stream.once("data", (...args) => resolve(args)));
}

test("as many programs run as may, one more is refused, and one that ends makes room", async () => {
	// children_max
	await using spawner = await makeSpawner("watcher", { children_max: 3 });
	const request = { server: "it", command: "/bin/cat", args: [], env: {}, cwd: root };
	// Asked for at once, so that none of them runs yet when the last one comes.
	const asked = await Promise.all([1, 2, 3, 4].map(() => spawner.spawn(request)));
	const running = asked.flatMap((outcome) => (outcome.ok ? [outcome.value] : []));
	const refused = asked.flatMap((outcome) => (outcome.ok ? [] : [outcome.problem]));
	assert.equal(running.length, 3);
	assert.equal(refused[0]?.code, "overloaded");
	assert.equal(refused[0]?.message, "3 programs run already; stop some servers first.");
	assert.ok(refused[0]?.retry_safe);
	running[0]?.stdin.end("last words");
	assert.equal(await text((running[0] as ChildHandle).stdout), "last words");
	await running[0]?.stop(0);
	const next = await spawner.spawn(request);
	assert.ok(next.ok);
	for (const child of [...running.slice(1), next.value]) {
		child.stdin.end("all there");
		assert.equal(await text(child.stdout), "all there", "the others were not disturbed");
		await child.stop(0);
	}
});
