import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { median, memoryFigures, ratio, rounded, type Sample, summarize } from "./figures.ts";

const sample = (parts: Partial<Sample>): Sample => ({
	calls: 1000,
	seconds: 1,
	p50_ms: 1,
	p99_ms: 2,
	p999_ms: 3,
	cpu_ms: 50,
	rss_mb: 100,
	...parts,
});

test("the median is the middle value, or the mean of the two in the middle", () => {
	assert.equal(median([]), null);
	assert.equal(median([7]), 7);
	assert.equal(median([9, 1, 5]), 5);
	assert.equal(median([4, 1, 3, 2]), 2.5);
});

test("the median leaves its argument alone and lies between the smallest and the largest", () => {
	const numbers = fc.array(fc.double({ noNaN: true, min: -1e9, max: 1e9 }), { minLength: 1 });
	fc.assert(
		fc.property(numbers, (values) => {
			const before = [...values];
			const found = median(values) as number;
			assert.deepEqual(values, before);
			assert.ok(found >= Math.min(...values) && found <= Math.max(...values));
			const below = values.filter((value) => value < found).length;
			const above = values.filter((value) => value > found).length;
			assert.ok(below <= values.length / 2 && above <= values.length / 2);
		}),
	);
});

test("one disturbed round does not change a contender's figures", () => {
	const calm = [sample({}), sample({}), sample({})];
	const disturbed = sample({ calls: 10, seconds: 1.4, p99_ms: 900, cpu_ms: 40, rss_mb: 500 });
	assert.deepEqual(summarize([...calm.slice(1), disturbed]), summarize(calm));
	assert.deepEqual(summarize(calm), {
		rps: 1000,
		p50_ms: 1,
		p99_ms: 2,
		p999_ms: 3,
		cpu_us: 50,
		cpu_us_least: 50,
		rss_mb: 100,
		loop_p99_ms: null,
	});
});

test("what a call costs at least is that of the best round", () => {
	const rounds = [sample({ cpu_ms: 50 }), sample({ cpu_ms: 90 }), sample({ cpu_ms: undefined })];
	assert.equal(summarize(rounds).cpu_us_least, 50);
	assert.equal(summarize([]).cpu_us_least, null);
});

test("calls a second are of the time that was measured, and CPU is of the calls", () => {
	const figures = summarize([sample({ calls: 3000, seconds: 1.5, cpu_ms: 90 })]);
	assert.equal(figures.rps, 2000);
	assert.equal(figures.cpu_us, 30);
});

test("what the system does not tell is null and spoils nothing else", () => {
	const figures = summarize([sample({ cpu_ms: undefined, rss_mb: undefined })]);
	assert.equal(figures.cpu_us, null);
	assert.equal(figures.rss_mb, null);
	const told = summarize([sample({ loop_p99_ms: 1.5 }), sample({}), sample({ loop_p99_ms: 0.5 })]);
	assert.equal(told.loop_p99_ms, 1);
	assert.equal(figures.rps, 1000);
	assert.deepEqual(memoryFigures(null).rss_mb, null);
});

test("a ratio needs two numbers, and something to divide by", () => {
	assert.equal(ratio(6, 4), 1.5);
	assert.equal(ratio(0, 4), 0);
	for (const [a, b] of [
		[null, 4],
		[6, null],
		[undefined, 4],
		[6, undefined],
		[6, 0],
	] as const) {
		assert.equal(ratio(a, b), null);
	}
});

test("figures are rounded to what they are worth", () => {
	assert.equal(rounded(12.345, 1), 12.3);
	assert.equal(rounded(12.345, 0), 12);
	assert.equal(rounded(null, 2), null);
	assert.equal(memoryFigures(110.96).rss_mb, 111);
});
