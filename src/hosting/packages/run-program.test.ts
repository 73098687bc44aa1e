import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { eventually, markedProcesses, sees_environments } from "../../../test/support/processes.ts";
import { systemClock } from "../../lib/clock.ts";
import { processEnvironment } from "../../lib/environment.ts";
import { systemRandom } from "../../lib/random.ts";
import { createSpawner } from "../process/spawner.ts";
import { runProgram } from "./run-program.ts";

const data_dir = await mkdtemp(join(tmpdir(), "moorage-run-"));
const spawner = await createSpawner({
	data_dir,
	owner_id: "run",
	clock: systemClock,
	random: systemRandom,
	environment: processEnvironment(),
});
after(async () => {
	await spawner.close();
	await rm(data_dir, { recursive: true });
});

function run(script: string, more: { deadline_ms?: number; signal?: AbortSignal } = {}) {
	return runProgram(spawner, systemClock, {
		server: "it",
		command: "/bin/sh",
		args: ["-c", script],
		env: {},
		cwd: data_dir,
		deadline_ms: 60_000,
		signal: new AbortController().signal,
		...more,
	});
}

test("a program's exit code and both outputs come back", async () => {
	const outcome = await run("echo out; echo err >&2; exit 3");
	assert.deepEqual(outcome, { ok: true, value: { code: 3, stdout: "out\n", stderr: "err\n" } });
});

test("a program that asks finds its input closed", async () => {
	const outcome = await run('read answer; echo "$?$answer"');
	assert(outcome.ok);
	assert.equal(outcome.value.stdout, "1\n");
});

test("of endless output the end is kept", async () => {
	const outcome = await run("yes | head -c 3000000; echo the end");
	assert(outcome.ok);
	assert.equal(outcome.value.stdout.length, 64 * 1024);
	assert.match(outcome.value.stdout, /the end\n$/u);
});

test("a program that takes too long is killed with all it started", async () => {
	const outcome = await run("sleep 1000 & sleep 1000", { deadline_ms: 50 });
	assert.deepEqual(outcome, { ok: false, problem: { kind: "late" } });
	if (sees_environments) {
		assert.deepEqual(markedProcesses(spawner.marker_prefix), []);
	}
});

test("a program that nobody wants any more is killed", async () => {
	const controller = new AbortController();
	const running = run("sleep 1000 & sleep 1000", { signal: controller.signal });
	if (sees_environments) {
		await eventually(
			() => markedProcesses(spawner.marker_prefix),
			(found) => found.length > 0,
		);
	}
	controller.abort();
	assert.deepEqual(await running, { ok: false, problem: { kind: "aborted" } });
	if (sees_environments) {
		assert.deepEqual(markedProcesses(spawner.marker_prefix), []);
	}
	const never = await run("exit 0", { signal: controller.signal });
	assert.deepEqual(never, { ok: false, problem: { kind: "aborted" } });
});

test("a program that is not there is the spawner's fault, handed on", async () => {
	const outcome = await runProgram(spawner, systemClock, {
		server: "it",
		command: "/no/such/program",
		args: [],
		env: {},
		cwd: data_dir,
		deadline_ms: 60_000,
		signal: new AbortController().signal,
	});
	assert(!outcome.ok && outcome.problem.kind === "fault");
	assert.equal(outcome.problem.fault.code, "command_missing");
});
