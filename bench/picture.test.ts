import assert from "node:assert/strict";
import { test } from "node:test";
import type { Figures } from "./figures.ts";
import { barsOf, benchmarkPicture, benchmarkTable, withBenchmark } from "./picture.ts";
import type { CaseResult } from "./targets.ts";

const figures = (rps: number): Figures => ({
	rps,
	p50_ms: 1.234,
	p99_ms: 5,
	p999_ms: 9,
	cpu_us: 50.5,
	cpu_us_least: 50.5,
	rss_mb: 100,
	loop_p99_ms: null,
});

const result = (name: string, rps: number): CaseResult => ({
	name,
	title: "calls",
	sides: {
		moorage: figures(rps),
		ceiling: figures(30_000),
		raw: figures(40_000),
		"peer:a<b>": figures(2_000),
	},
	values: {},
});
const results = [result("stdio-32-plain", 20_000), result("stdio-32-full", 15_000)];
const machine = { platform: "linux", cpu: "A", cores: 2, memory_gb: 8, node: "v24.0.0" };

test("Moorage comes first, as loaded as it gets, then those it is compared with", () => {
	const labels = barsOf(results).map(({ label }) => label);
	assert.deepEqual(labels, [
		"Moorage, everything on",
		"Moorage, checks and limits alone",
		"bare multiplexer, no checks",
		"a<b>",
	]);
	assert.deepEqual(barsOf([]), []);
});

test("the table says how much faster Moorage is than each", () => {
	const table = benchmarkTable(machine, barsOf(results));
	assert.match(table, /\| a<b> \| 2,000 \| 1\.23 \| 5 \| 51 \| 100 \| 7\.50 x \|/);
	assert.match(table, /\| bare multiplexer, no checks \| 30,000 .* 0\.50 x \|/);
});

test("the picture is valid XML whatever others are called, its longest bar the fastest", () => {
	const picture = benchmarkPicture(barsOf(results));
	assert.ok(picture.includes("a&lt;b&gt;") && !picture.includes("a<b>"));
	const widths = [...picture.matchAll(/ width="([\d.]+)" height/g)].map(([, width]) =>
		Number(width),
	);
	assert.deepEqual(widths, [205, 273.3, 410, 27.3]);
});

test("a table takes the place of the former one, and of nothing else", () => {
	const page = "a\n<!-- benchmark begins -->\nold\n<!-- benchmark ends -->\nb\n";
	const expected = "a\n<!-- benchmark begins -->\nnew\n<!-- benchmark ends -->\nb\n";
	assert.equal(withBenchmark(page, "new"), expected);
	assert.equal(withBenchmark("no markers", "new"), undefined);
});
