import assert from "node:assert/strict";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { tempTree } from "../lib/temp-tree.ts";
import type { FileOutcome } from "./outcome.ts";
import { runTogether } from "./run-together.ts";

const header = `import { test, describe, before, beforeEach } from "node:test";`;

/** Runs test files of the given texts in one process, for real. */
async function run(
	t: TestContext,
	texts: Record<string, string>,
	limits: { file_ms_max?: number; linger_ms_max?: number } = {},
) {
	const files = Object.keys(texts);
	const tree = Object.entries(texts).map(([file, text]) => [file, `${header}\n${text}`]);
	const root = tempTree(t, Object.fromEntries(tree));
	const began: string[] = [];
	const outcomes: FileOutcome[] = [];
	const rest = await runTogether({
		root,
		files,
		environment: process.env,
		events_path: join(root, "events"),
		output_path: join(root, "output"),
		file_ms_max: limits.file_ms_max ?? 30_000,
		test_ms_max: 20_000,
		linger_ms_max: limits.linger_ms_max ?? 200,
		onBegin: (file) => began.push(file),
		onOutcome: (outcome) => outcomes.push(outcome),
	});
	assert.deepEqual([...began, ...rest], files, "each file began or is still to be run");
	const failures = outcomes.flatMap((outcome) => outcome.failures);
	return { outcomes, failures, rest };
}

test("files share a process, and each is judged by its own tests", async (t) => {
	const { outcomes, rest } = await run(t, {
		"a.test.ts": `globalThis.seen = process.pid; test("a", () => {}); test("b", () => {});`,
		"b.test.ts": `test("shares", (t) => { if (globalThis.seen !== process.pid) throw 1; });
			describe("suite", () => {
				test("is skipped", { skip: "not today" }, () => {});
				test("fails", () => { throw new Error("as it must"); });
			});`,
		"c.test.ts": `test("c", () => {});`,
	});
	assert.deepEqual(
		outcomes.map(({ file, passed, failures, skips }) => [
			file,
			passed,
			failures.map(({ title }) => title),
			skips,
		]),
		[
			["a.test.ts", 2, [], []],
			[
				"b.test.ts",
				1,
				["b.test.ts:5 suite > fails"],
				[{ title: "b.test.ts suite > is skipped", reason: "not today" }],
			],
			["c.test.ts", 1, [], []],
		],
	);
	assert.deepEqual(rest, []);
});

test("hooks of a file are for its own tests", async (t) => {
	const { outcomes, failures } = await run(t, {
		"a.test.ts": `beforeEach(() => { throw new Error("hook of a"); }); test("a", () => {});`,
		"b.test.ts": `test("b", () => {});`,
	});
	assert.deepEqual(
		failures.map(({ title }) => title),
		["a.test.ts:2 a"],
	);
	assert.equal(outcomes[1]?.passed, 1);
});

test("a file that cannot be loaded fails as a whole, and so does one without tests", async (t) => {
	const { outcomes, failures } = await run(t, {
		"a.test.ts": `import "./nowhere.ts"; test("a", () => {});`,
		"b.test.ts": "",
		"c.test.ts": `test("c", () => {});`,
	});
	assert.deepEqual(
		failures.map(({ title }) => title),
		["a.test.ts", "b.test.ts"],
	);
	assert.match(failures[0]?.detail ?? "", /nowhere\.ts/);
	assert.match(failures[1]?.detail ?? "", /no tests/);
	assert.equal(outcomes[2]?.passed, 1);
});

test("a file that hangs is killed with its test named, and the next ones are left", async (t) => {
	const { outcomes, failures, rest } = await run(
		t,
		{
			"a.test.ts": `test("a", () => {});`,
			"b.test.ts": `test("hangs", () => new Promise(() => {}));`,
			"c.test.ts": `test("c", () => {});`,
		},
		// Long enough for the first file to pass on a machine that is busy.
		{ file_ms_max: 5000 },
	);
	assert.equal(outcomes[0]?.passed, 1);
	assert.equal(failures[0]?.title, "b.test.ts");
	assert.match(failures[0]?.detail ?? "", /took too long during "hangs" and was killed/);
	assert.deepEqual(rest, ["c.test.ts"]);
});

test("a file that ends the process fails with what it wrote, and no other does", async (t) => {
	const { outcomes, failures, rest } = await run(t, {
		"a.test.ts": `console.log("not to be seen"); test("a", () => {});`,
		"b.test.ts": `test("b", () => { console.log("farewell"); process.exit(3); });`,
		"c.test.ts": `test("c", () => {});`,
	});
	assert.equal(outcomes[0]?.passed, 1);
	assert.equal(failures.length, 1);
	assert.match(failures[0]?.detail ?? "", /ended before its tests did \(exit code 3\)[^]*farewell/);
	assert.doesNotMatch(failures[0]?.detail ?? "", /not to be seen/);
	assert.deepEqual(rest, ["c.test.ts"]);
});

const ways_to_leave_something: [what: string, code: string, told: RegExp][] = [
	["a variable", `process.env.LEFT = "1"`, /environment variable LEFT is changed/],
	["another folder", `process.chdir("/")`, /current folder is \//],
	["a listener", `process.on("SIGUSR2", () => {})`, /"SIGUSR2": 0 before, 1 now/],
	["a global", `globalThis.left = () => 1`, /global globalThis\.left is changed/],
	["a clock of its own", "Date.now = () => 1", /global Date\.now is changed/],
	["a timer", "setInterval(() => {}, 1000)", /Timeout: \d+ before, \d+ now/],
	[
		"an error that comes later",
		`setTimeout(() => { throw new Error("late") }, 1)`,
		/exit code[^]*late/,
	],
];

for (const [what, code, told] of ways_to_leave_something) {
	test(`a file that leaves ${what} behind fails, and the next one does not see it`, async (t) => {
		const { failures, rest } = await run(t, {
			"a.test.ts": `test("a", () => { ${code}; });`,
			"b.test.ts": `test("b", () => {});`,
		});
		assert.equal(failures.length, 1);
		assert.equal(failures[0]?.title, "a.test.ts");
		assert.match(failures[0]?.detail ?? "", told);
		assert.deepEqual(rest, ["b.test.ts"]);
	});
}
