import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { FakeClock } from "../../test/support/fake-clock.ts";
import { TokenBuckets } from "./token-buckets.ts";

function build(calls: number, per_ms: number, burst = calls, max?: number) {
	const clock = new FakeClock();
	const buckets = new TokenBuckets({ calls, per_ms, burst }, clock, max);
	const tryTake = (key: string) => {
		if (buckets.wait(key) > 0) return false;
		buckets.take(key);
		return true;
	};
	const takeAll = (key: string) => {
		let taken = 0;
		while (tryTake(key)) taken += 1;
		return taken;
	};
	return { clock, buckets, tryTake, takeAll };
}

test("a burst is let through exactly, and what is missing comes back with time", async () => {
	const { clock, buckets, takeAll } = build(60, 60_000, 10);
	assert.equal(takeAll("ana"), 10);
	assert.equal(buckets.wait("ana"), 1_000);
	await clock.advance(999);
	assert.equal(takeAll("ana"), 0);
	await clock.advance(1);
	assert.equal(takeAll("ana"), 1);
	await clock.advance(5_000);
	assert.equal(takeAll("ana"), 5);
	await clock.advance(3_600_000);
	assert.equal(takeAll("ana"), 10);
});

test("nobody pays for another's calls", () => {
	const { takeAll } = build(3, 1_000);
	assert.equal(takeAll("ana"), 3);
	assert.equal(takeAll("bob"), 3);
});

test("asking takes nothing", () => {
	const { buckets, takeAll } = build(2, 1_000);
	for (let time = 0; time < 10; time++) assert.equal(buckets.wait("ana"), 0);
	assert.equal(takeAll("ana"), 2);
});

test("the buckets that are kept are bounded, and full ones go first", async () => {
	const { clock, buckets, takeAll, tryTake } = build(2, 1_000, 2, 3);
	for (const key of ["a", "b", "c"]) takeAll(key);
	await clock.advance(1_000);
	assert.ok(tryTake("c"));
	assert.ok(tryTake("d"));
	assert.equal(buckets.size, 2);
	for (const key of ["e", "f", "g"]) takeAll(key);
	assert.equal(buckets.size, 3);
});

/** A schedule of attempts of two callers, with the time before each. */
const schedule = fc.array(fc.tuple(fc.constantFrom("a", "b"), fc.nat(300)), { maxLength: 120 });

test("in no stretch of time do more come through than the burst and what came back", async () => {
	const numbers = fc.tuple(fc.integer({ min: 1, max: 20 }), fc.integer({ min: 1, max: 15 }));
	await fc.assert(
		fc.asyncProperty(schedule, numbers, async (attempts, [calls, burst]) => {
			const per_ms = 1_000;
			const { clock, tryTake } = build(calls, per_ms, burst);
			const taken: Record<string, number[]> = { a: [], b: [] };
			for (const [key, wait_ms] of attempts) {
				await clock.advance(wait_ms);
				if (tryTake(key)) taken[key]?.push(clock.monotonic());
			}
			for (const times of Object.values(taken)) {
				for (const [first, from_ms] of times.entries()) {
					for (const [last, to_ms] of times.entries()) {
						if (last < first) continue;
						const most = burst + ((to_ms - from_ms) * calls) / per_ms;
						assert.ok(
							last - first + 1 <= most + 1e-6,
							`${last - first + 1} in ${to_ms - from_ms} ms`,
						);
					}
				}
			}
		}),
		{ numRuns: 60 },
	);
});

test("whoever waits as long as is said comes through", async () => {
	await fc.assert(
		fc.asyncProperty(fc.integer({ min: 1, max: 1_000 }), fc.nat(5_000), async (calls, start_ms) => {
			const { clock, buckets, takeAll, tryTake } = build(calls, 60_000);
			await clock.advance(start_ms);
			takeAll("ana");
			const wait_ms = buckets.wait("ana");
			assert.ok(wait_ms > 0 && wait_ms <= 60_000 / calls + 1e-6);
			await clock.advance(wait_ms);
			assert.ok(tryTake("ana"));
		}),
		{ numRuns: 50 },
	);
});
