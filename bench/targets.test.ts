import assert from "node:assert/strict";
import { test } from "node:test";
import type { Figures } from "./figures.ts";
import { type CaseResult, judge, type Target, targets } from "./targets.ts";

const figures = (parts: Partial<Figures>): Figures => ({
	rps: null,
	p50_ms: null,
	p99_ms: null,
	p999_ms: null,
	cpu_us: null,
	cpu_us_least: null,
	rss_mb: null,
	loop_p99_ms: null,
	...parts,
});

const result = (name: string, parts: Partial<CaseResult>): CaseResult => ({
	name,
	title: name,
	sides: {},
	values: {},
	...parts,
});

const plain = (moorage: number, ceiling: number, sdk: number) =>
	result("stdio-32-plain", {
		sides: {
			moorage: figures({ rps: moorage }),
			ceiling: figures({ rps: ceiling }),
			sdk: figures({ rps: sdk }),
		},
	});

const outcomes = (results: readonly CaseResult[]) =>
	judge(results).map(({ value, met, passed }) => [value, met, passed]);

test("a run that keeps every promise passes", () => {
	const verdicts = outcomes([plain(14_000, 20_000, 2_000)]);
	assert.deepEqual(verdicts, [
		[0.7, true, true],
		[7, true, true],
	]);
});

test("a promise missed by little is told, and one missed by much fails", () => {
	assert.deepEqual(outcomes([plain(10_000, 20_000, 10_000)]), [
		[0.5, false, true],
		[1, false, false],
	]);
});

test("on a busy machine the CPU time of a call can save a check, never the promise", () => {
	const busy = (cpu_us_least: number) =>
		result("stdio-32-plain", {
			sides: {
				moorage: figures({ rps: 1_000, cpu_us_least }),
				ceiling: figures({ rps: 10_000, cpu_us_least: 40 }),
				sdk: figures({ rps: 100, cpu_us_least: 400 }),
			},
		});
	assert.deepEqual(outcomes([busy(60)])[0], [0.1, false, true]);
	assert.deepEqual(outcomes([busy(90)])[0], [0.1, false, false]);
	assert.deepEqual(outcomes([busy(60)])[1], [10, true, true]);
});

test("what is promised to be at most something is held from above", () => {
	const bridged = (cpu_us: number) =>
		result("stdio-32-bridged", {
			sides: {
				moorage: figures({ cpu_us }),
				same_era: figures({ cpu_us: 50 }),
				legacy_to_modern: figures({ cpu_us: 50 }),
				legacy_same_era: figures({ cpu_us: 50 }),
			},
		});
	assert.deepEqual(outcomes([bridged(75)])[0], [1.5, true, true]);
	assert.deepEqual(outcomes([bridged(80)])[0], [1.6, false, true]);
	assert.deepEqual(outcomes([bridged(200)])[0], [4, false, false]);
	assert.deepEqual(outcomes([bridged(200)])[1], [1, true, true]);
});

test("a case that did not run is not judged", () => {
	assert.deepEqual(outcomes([]), []);
	assert.deepEqual(outcomes([result("list-100-tools", {})]), []);
});

test("a case that ran without its figure fails, unless it says why it was skipped", () => {
	const name = "quickstart-start";
	assert.deepEqual(outcomes([result(name, {})]), [[null, false, false]]);
	assert.deepEqual(outcomes([result(name, { skipped: "no packages" })]), [[null, true, true]]);
	assert.deepEqual(outcomes([result(name, { values: { ready_ms: 800 } })]), [[800, true, true]]);
});

test("memory is judged by what was added", () => {
	const grown = (added_mb: number) =>
		outcomes([result("sessions-10000-idle", { values: { added_mb } })])[0];
	assert.deepEqual(grown(0), [0, true, true]);
	assert.deepEqual(grown(110), [110, false, true]);
	assert.deepEqual(grown(121), [121, false, false]);
});

test("no check is stricter than its promise, and every one can fail", () => {
	const worst = (at: Target["at"]) => (at === "least" ? 0 : Number.MAX_VALUE);
	for (const target of targets) {
		const { at, limit, check, name } = target;
		assert.ok(at === "least" ? check <= limit : check >= limit, name);
		const [verdict] = judge([result(name, {})], [{ ...target, read: () => worst(at) }]);
		assert.equal(verdict?.passed, false, name);
	}
});
