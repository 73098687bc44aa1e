import assert from "node:assert/strict";
import { test } from "node:test";
import { formatProblem, placelessProblem } from "./problem.ts";
import { Report, SourceFile } from "./report.ts";

test("offsets become lines and columns from 1", () => {
	const source = new SourceFile("f", "ab\r\ncd\n\nxé𝄞y");
	assert.deepEqual(source.position(0), { line: 1, column: 1 });
	assert.deepEqual(source.position(4), { line: 2, column: 1 });
	assert.deepEqual(source.position(7), { line: 3, column: 1 });
	assert.deepEqual(source.position(8), { line: 4, column: 1 });
	assert.deepEqual(source.position(12), { line: 4, column: 5 });
});

test("problems come in the order of the file, and a long tail is counted", () => {
	const report = new Report(new SourceFile("f", "x\n".repeat(80)));
	for (let line = 69; line >= 0; line -= 1) report.problem(line * 2, `p${line}`, "n");
	const problems = report.problems();
	assert.equal(problems.length, 51);
	assert.equal(problems[0]?.message, "p0");
	assert.equal(problems[49]?.message, "p49");
	assert.match(problems[50]?.message ?? "", /20 more problems/);
});

test("warnings come in the order of the file and stop nothing", () => {
	const report = new Report(new SourceFile("f", "a\nb\n"));
	report.warn(2, "second");
	report.warn(0, "first");
	assert.deepEqual(report.warnings, ["f:1:1: first", "f:2:1: second"]);
	assert.equal(report.failed, false);
});

test("a problem without a place is printed without one", () => {
	assert.equal(formatProblem(placelessProblem("--listen", "No.", "Yes.")), "--listen: No. Yes.");
});
