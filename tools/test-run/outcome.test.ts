import assert from "node:assert/strict";
import { test } from "node:test";
import { closingLine, type FileEnd, judgeFile, type TestEvent } from "./outcome.ts";

const fine: FileEnd = { code: 0, killed: undefined, output: "" };
const end: TestEvent = { event: "end", name: "", nesting: 0 };

const pass = (name: string, more: Partial<TestEvent> = {}): TestEvent => ({
	event: "pass",
	name,
	nesting: 0,
	...more,
});
const failed = (name: string, more: Partial<TestEvent> = {}): TestEvent => ({
	event: "fail",
	name,
	nesting: 0,
	line: 7,
	error: "it broke",
	...more,
});

test("passed and skipped tests are counted, suites are not", () => {
	const events = [
		pass("one", { nesting: 1 }),
		pass("two", { nesting: 1, skip: "no uv here" }),
		pass("suite", { is_suite: true }),
		pass("later", { todo: "no reason given" }),
		end,
	];
	const outcome = judgeFile("a.test.ts", events, fine, 5);
	assert.equal(outcome.passed, 1);
	assert.deepEqual(outcome.failures, []);
	assert.deepEqual(outcome.skips, [
		{ title: "a.test.ts suite > two", reason: "no uv here" },
		{ title: "a.test.ts later", reason: "todo: no reason given" },
	]);
});

test("a suite that is skipped as a whole counts as one skip, with its reason", () => {
	const events = [pass("suite", { is_suite: true, skip: "no bubblewrap here" }), end];
	const outcome = judgeFile("a.test.ts", events, fine, 5);
	assert.deepEqual(outcome.failures, []);
	assert.deepEqual(outcome.skips, [{ title: "a.test.ts suite", reason: "no bubblewrap here" }]);
});

test("a failure is told once, with its place, full title and error", () => {
	const events = [
		failed("inner", { nesting: 2 }),
		failed("test", { nesting: 1, failure: "subtestsFailed" }),
		failed("suite", { is_suite: true, failure: "subtestsFailed" }),
		pass("other"),
		end,
	];
	const outcome = judgeFile("a.test.ts", events, { ...fine, code: 1 }, 5);
	assert.deepEqual(outcome.failures, [
		{ title: "a.test.ts:7 suite > test > inner", detail: "it broke" },
	]);
	assert.equal(outcome.passed, 1);
});

test("a suite that fails by itself, in a hook, is a failure", () => {
	const events = [failed("suite", { is_suite: true, failure: "hookFailed" }), end];
	assert.equal(judgeFile("a.test.ts", events, { ...fine, code: 1 }, 5).failures.length, 1);
});

test("a file without tests fails", () => {
	const outcome = judgeFile("a.test.ts", [end], fine, 5);
	assert.deepEqual(outcome.failures, [{ title: "a.test.ts", detail: "The file has no tests." }]);
});

test("a file that ends before its tests did fails, whatever its exit code", () => {
	for (const code of [0, 3]) {
		const outcome = judgeFile("a.test.ts", [pass("a")], { ...fine, code, output: "bye" }, 5);
		assert.equal(
			outcome.failures[0]?.detail,
			`The file ended before its tests did (exit code ${code}).\nbye`,
		);
	}
	const killed = judgeFile("a.test.ts", [], { ...fine, code: undefined }, 5);
	assert.match(killed.failures[0]?.detail ?? "", /exit code none, a signal/);
});

test("a file whose tests pass and whose process fails, fails", () => {
	const outcome = judgeFile("a.test.ts", [pass("a"), end], { ...fine, code: 7 }, 5);
	assert.deepEqual(
		outcome.failures.map(({ detail }) => detail),
		["The file ended with exit code 7."],
	);
});

test("a file that was killed names the test that ran", () => {
	const begin = (name: string, nesting = 0): TestEvent => ({ event: "begin", name, nesting });
	const events = [begin("a"), pass("a"), begin("suite"), begin("hangs", 1)];
	const outcome = judgeFile("a.test.ts", events, { ...fine, killed: "took too long" }, 5);
	assert.equal(
		outcome.failures[0]?.detail,
		'The file took too long during "hangs" and was killed.',
	);
});

test("the closing line has the form that others read", () => {
	assert.equal(closingLine(3, 0, 0), "3 passed, 0 failed");
	assert.equal(closingLine(3, 1, 2), "3 passed, 1 failed, 2 skipped");
});
