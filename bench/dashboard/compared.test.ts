import assert from "node:assert/strict";
import { test } from "node:test";
import type { Sample } from "../figures.ts";
import { cpuOfCalls, inTurns, p99Of } from "./compared.ts";

const sample = (p99_ms: number): Sample => ({
	...{ calls: 100, seconds: 1, p50_ms: 1, p99_ms, p999_ms: p99_ms },
	...{ cpu_ms: 10, rss_mb: 50 },
});

test("rounds with and without somebody who looks take turns, and turn their order round", async () => {
	const order: boolean[] = [];
	const compared = await inTurns(3, (looked_at) => {
		order.push(looked_at);
		return Promise.resolve(sample(order.length));
	});
	assert.deepEqual(order, [false, true, true, false, false, true]);
	const times = (samples: readonly Sample[]) => samples.map(({ p99_ms }) => p99_ms);
	assert.deepEqual(
		[times(compared.without), times(compared.looked_at)],
		[
			[1, 4, 5],
			[2, 3, 6],
		],
	);
});

test("the p99 of calls is told by its medians, their ratio and the spread of the rounds without", () => {
	const compared = {
		without: [2, 2.5, 2].map(sample),
		looked_at: [3, 2.2, 90].map(sample),
	};
	assert.deepEqual(p99Of(compared), {
		p99_ms_without: 2,
		p99_ms_with: 3,
		p99_ratio: 1.5,
		p99_spread_without: 1.25,
	});
});

test("what a call costs is told by the best round of each side", () => {
	const costing = (cpu_ms: number) => ({ ...sample(1), cpu_ms });
	const compared = { without: [30, 10].map(costing), looked_at: [11, 90].map(costing) };
	assert.deepEqual(cpuOfCalls(compared), {
		cpu_us_without: 100,
		cpu_us_with: 110,
		cpu_ratio: 1.1,
	});
});

test("where nothing was measured there is no value that could be within a limit", () => {
	const empty = { without: [sample(0)], looked_at: [sample(1)] };
	assert.equal(p99Of(empty)["p99_ratio"], undefined);
});
