import assert from "node:assert/strict";
import { test } from "node:test";
import type { Figures } from "./figures.ts";
import { caseTable, jsonReport, type Machine, verdictLine } from "./report.ts";
import { type CaseResult, judge } from "./targets.ts";

const machine: Machine = {
	platform: "linux x64",
	cpu: "A processor",
	cores: 2,
	memory_gb: 24,
	node: "v24.0.0",
};

const figures = (rps: number): Figures => ({
	rps,
	p50_ms: 1.234,
	p99_ms: 5,
	p999_ms: 9,
	cpu_us: 50.5,
	cpu_us_least: 50.5,
	rss_mb: null,
	loop_p99_ms: null,
});

const plain: CaseResult = {
	name: "stdio-32-plain",
	title: "calls",
	sides: { moorage: figures(15_000), ceiling: figures(20_000), sdk: figures(1_500) },
	values: {},
};

test("the JSON document has the machine and every case with its sides by name", () => {
	const parsed: unknown = JSON.parse(jsonReport(machine, [plain]));
	const { sides } = plain;
	assert.deepEqual(parsed, { machine, cases: [{ name: "stdio-32-plain", ...sides }] });
});

test("values and the reason for skipping stand beside the sides", () => {
	const cases: CaseResult[] = [
		{ name: "stream-idle", title: "", sides: {}, values: { added_kb_each: 18.5 } },
		{ name: "quickstart-start", title: "", sides: {}, values: {}, skipped: "no packages" },
	];
	const parsed = JSON.parse(jsonReport(machine, cases)) as { cases: unknown };
	assert.deepEqual(parsed.cases, [
		{ name: "stream-idle", added_kb_each: 18.5 },
		{ name: "quickstart-start", skipped: "no packages" },
	]);
});

test("the table shows each side and how the gateway stands to it", () => {
	const lines = caseTable(plain).split("\n");
	assert.equal(lines.length, 5);
	assert.match(lines[2] ?? "", /^ {2}moorage +15000 +1\.23 +5\.00 +9\.00 +50\.5$/);
	assert.match(lines[3] ?? "", /^ {2}ceiling +20000 .* 0\.75 x$/);
	assert.match(lines[4] ?? "", /^ {2}sdk +1500 .* 10\.00 x$/);
});

test("a skipped case is one plain line", () => {
	const skipped = { name: "a", title: "b", sides: {}, values: {}, skipped: "no packages" };
	assert.equal(caseTable(skipped), "a: b\n  skipped: no packages");
});

test("a promise says what was found and what was promised", () => {
	const lines = judge([plain]).map(verdictLine);
	assert.deepEqual(lines, [
		"✓ stdio-32-plain: calls a second, of the bare multiplexer's: 0.75 (>= 0.6)",
		"✓ stdio-32-plain: calls a second, of the SDK handler's: 10.00 (>= 4)",
	]);
});
