import assert from "node:assert/strict";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import fc from "fast-check";
import { systemClock } from "../../lib/clock.ts";
import type { LaunchPlan } from "./launcher.ts";
import { launchLine } from "./launcher.ts";
import { runOnce } from "./run-once.ts";

const root = await mkdtemp(join(tmpdir(), "moorage-launcher-"));
after(() => rm(root, { recursive: true }));

const skip = process.platform === "win32" ? "there is no shell on Windows" : false;
const off = { file_bytes_max: undefined, descriptors_max: undefined };

function run(args: readonly string[], plan: Partial<LaunchPlan>) {
	const launch = { process_limits: off, entrances: [], ...plan };
	return runOnce(systemClock, {
		...launchLine({ program: "/bin/sh", args }, launch, process.platform),
		env: { PATH: "/usr/bin:/bin" },
		cwd: "/",
		deadline_ms: 10_000,
	});
}

test("limits are rounded up to what a shell can say, never down", { skip }, async () => {
	for (const [bytes, blocks] of [
		[1024, "2"],
		[1025, "3"],
		[1024 ** 3, "2097152"],
	] as const) {
		const process_limits = { file_bytes_max: bytes, descriptors_max: 64 };
		const outcome = await run(["-c", "ulimit -f; ulimit -n; ulimit -c"], { process_limits });
		assert.equal(outcome.stdout, `${blocks}\n64\n0\n`, outcome.stderr);
	}
});

test("a limit above what the machine allows leaves the machine's own", { skip }, async () => {
	const process_limits = { ...off, descriptors_max: 2 ** 30 };
	const outcome = await run(["-c", "ulimit -n"], { process_limits });
	assert.equal(outcome.code, 0);
	assert.match(outcome.stdout, /^(\d+|unlimited)\n$/u);
});

test("every entrance is written to before the program runs", { skip }, async () => {
	const entrances = ["one", "two words", "$HOME"].map((name) => join(root, name));
	await Promise.all(entrances.map((path) => writeFile(path, "")));
	const outcome = await run(["-c", 'cat "$@"', "sh", ...entrances], { entrances });
	assert.equal(outcome.stdout, "0\n0\n0\n");
	assert.equal(await readFile(entrances[0] ?? "", "utf8"), "0\n");
});

test("a program whose group cannot be entered does not run", { skip }, async () => {
	const entrances = [join(root, "nowhere", "cgroup.procs")];
	const outcome = await run(["-c", "echo ran"], { entrances });
	assert.equal(outcome.stdout, "");
	assert.notEqual(outcome.code, 0);
});

test("whatever the arguments say, no shell reads them", { skip }, async () => {
	const text = fc.oneof(
		fc.string({ maxLength: 20 }).filter((one) => !one.includes("\0")),
		fc.constantFrom("$(echo hacked)", "`id`", "; exit 9", "-n", "--", "*", "$1", "\n"),
	);
	await fc.assert(
		fc.asyncProperty(fc.array(text, { maxLength: 4 }), async (args) => {
			const script = 'for one in "$@"; do printf "%s\\036" "$one"; done';
			const outcome = await run(["-c", script, "sh", ...args], {});
			assert.equal(outcome.stdout, args.map((one) => `${one}\u{1E}`).join(""));
		}),
		{ numRuns: 20 },
	);
});

test("our own tools, and all programs on Windows, are started as they are", () => {
	const line = { program: "npm", args: ["ci"] };
	assert.equal(launchLine(line, { process_limits: undefined, entrances: [] }, "linux"), line);
	assert.equal(launchLine(line, { process_limits: off, entrances: [] }, "win32"), line);
});
