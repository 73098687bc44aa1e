import assert from "node:assert/strict";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { tempTree } from "../lib/temp-tree.ts";
import { sweepProcesses } from "./leftovers.ts";
import type { FileOutcome } from "./outcome.ts";
import { runFile } from "./run-file.ts";
import { runPhases } from "./run-files.ts";

/** Runs one test file of the given text, for real. */
async function run(
	t: TestContext,
	text: string,
	limits: { file_ms_max?: number; linger_ms_max?: number; environment?: NodeJS.ProcessEnv } = {},
): Promise<FileOutcome> {
	const root = tempTree(t, { "a.test.ts": `import { test, describe } from "node:test";\n${text}` });
	return runFile({
		root,
		file: "a.test.ts",
		environment: { ...process.env, ...limits.environment },
		events_path: join(root, "events"),
		file_ms_max: limits.file_ms_max ?? 30_000,
		test_ms_max: 20_000,
		linger_ms_max: limits.linger_ms_max ?? 20_000,
	});
}

test("a file is run and judged by its tests", async (t) => {
	const outcome = await run(
		t,
		`describe("suite", () => {
			test("passes", () => {});
			test("is skipped", { skip: "not today" }, () => {});
			test("fails", () => { throw new Error("as it must", { cause: "this" }); });
		});`,
	);
	assert.equal(outcome.passed, 1);
	assert.deepEqual(outcome.skips, [{ title: "a.test.ts suite > is skipped", reason: "not today" }]);
	assert.equal(outcome.failures.length, 1);
	assert.equal(outcome.failures[0]?.title, "a.test.ts:5 suite > fails");
	assert.match(outcome.failures[0]?.detail ?? "", /as it must[^]*\[cause\]: 'this'/);
});

test("a file that hangs in a test is killed, and the test is named", async (t) => {
	const outcome = await run(
		t,
		`test("fine", () => {});
		test("hangs", () => new Promise(() => setInterval(() => {}, 1000)));`,
		// Long enough for the first test to pass on a machine that is busy.
		{ file_ms_max: 5000 },
	);
	assert.equal(outcome.passed, 1);
	assert.match(outcome.failures[0]?.detail ?? "", /took too long during "hangs" and was killed/);
});

test("a file that lives on after its tests is killed, and fails", async (t) => {
	const outcome = await run(t, `test("fine", () => { setInterval(() => {}, 1000); });`, {
		linger_ms_max: 300,
	});
	assert.match(outcome.failures[0]?.detail ?? "", /kept running after its tests and was killed/);
});

test("a file that ends in the middle, or cannot be loaded, fails with what it wrote", async (t) => {
	const exits = await run(t, `test("a", () => {}); console.log("farewell"); process.exit(0);`);
	assert.match(exits.failures[0]?.detail ?? "", /ended before its tests did[^]*farewell/);
	const broken = await run(t, `import "./nowhere.ts"; test("a", () => {});`);
	assert.match(broken.failures[0]?.detail ?? "", /ended before its tests did[^]*nowhere\.ts/);
});

test("a process that a test left behind is found with its file, and killed", async (t) => {
	const marker = `moorage-${process.pid}`;
	const outcome = await run(
		t,
		`import { spawn } from "node:child_process";
		test("leaves", () => {
			spawn("sleep", ["1000"], { detached: true, stdio: "inherit" }).unref();
		});`,
		{ environment: { MOORAGE_TEST_RUN: marker, MOORAGE_TEST_FILE: "a.test.ts" } },
	);
	assert.deepEqual(outcome.failures, []);
	const left = await sweepProcesses(`MOORAGE_TEST_RUN=${marker}`);
	assert.deepEqual(
		left.map(({ test_file, command }) => [test_file, command]),
		[["a.test.ts", "sleep 1000"]],
	);
	assert.deepEqual(await sweepProcesses(`MOORAGE_TEST_RUN=${marker}`), []);
});

test("a phase runs its files and tells which ones fail", async (t) => {
	const header = `import { test } from "node:test";`;
	const root = tempTree(t, {
		"a.test.ts": `${header} test("a", () => {});`,
		"b.test.ts": `${header} test("b", () => { throw new Error("no"); });`,
		"c.test.ts": `${header} test("c", () => {});`,
	});
	const lines: string[] = [];
	const outcomes = await runPhases(
		[
			{
				title: "some tests",
				files: ["a.test.ts", "b.test.ts", "c.test.ts"],
				concurrency: 2,
				together_max: 1,
				file_ms_max: 30_000,
				test_ms_max: 20_000,
				linger_ms_max: 1000,
			},
		],
		{ root, environment: process.env, scratch: root, say: (line) => lines.push(line) },
	);
	assert.equal(lines[0], "some tests: 3 files");
	assert.ok(lines.some((line) => line.includes("✗ b.test.ts: 1 failed")));
	assert.equal(
		outcomes.reduce((sum, { passed }) => sum + passed, 0),
		2,
	);
});

test("a phase runs files together, but for those that say why not", async (t) => {
	const header = `import { test } from "node:test"; import assert from "node:assert";`;
	const claims = `test("has a fresh process", () => {
		assert.equal(globalThis.seen, undefined);
		globalThis.seen = "by this file";
	});`;
	const root = tempTree(t, {
		"a.test.ts": `${header} ${claims}`,
		"b.test.ts": `${header} ${claims}`,
		"c.test.ts": `// In a process of its own: it wants a fresh one.\n${header} ${claims}`,
		"d.test.ts": `${header} test("dies", () => process.exit(1));`,
		"e.test.ts": `${header} ${claims}`,
	});
	const outcomes = await runPhases(
		[
			{
				title: "some tests",
				files: ["a.test.ts", "b.test.ts", "c.test.ts", "d.test.ts", "e.test.ts"],
				concurrency: 1,
				together_max: 3,
				file_ms_max: 30_000,
				test_ms_max: 20_000,
				linger_ms_max: 1000,
			},
		],
		{ root, environment: process.env, scratch: root, say: () => {} },
	);
	assert.deepEqual(
		outcomes.map(({ file, failures }) => [file, failures.length]),
		// The second to share a process finds what the first one set.
		[
			["c.test.ts", 0],
			["a.test.ts", 0],
			["b.test.ts", 1],
			["d.test.ts", 1],
			["e.test.ts", 0],
		],
	);
});
