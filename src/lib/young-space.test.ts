import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { test } from "node:test";
import { promisify } from "node:util";
import { FakeClock } from "../../test/support/fake-clock.ts";
import { YoungSpace } from "./young-space.ts";

const run = promisify(execFile);
const minute_ms = 60_000;

function watched() {
	const clock = new FakeClock();
	const told: boolean[] = [];
	const space = new YoungSpace(clock, (may_grow) => void told.push(may_grow));
	const call = async (calls: number, apart_ms: number) => {
		for (let n = 0; n < calls; n += 1) {
			await clock.advance(apart_ms);
			space.count();
		}
	};
	return { clock, told, call };
}

test("the space for young objects may not grow before there is a load", async () => {
	const { told, call } = watched();
	assert.deepEqual(told, [false]);
	await call(10_000, 2);
	assert.deepEqual(told, [false]);
});

test("it may grow once five thousand calls have come within five seconds, which is said once", async () => {
	const { told, call } = watched();
	await call(4_999, 0.5);
	assert.deepEqual(told, [false]);
	await call(10_000, 0.5);
	assert.deepEqual(told, [false, true]);
});

test("it may not any more a minute after the last load, and again with the next", async () => {
	const { clock, told, call } = watched();
	await call(5_000, 0.5);
	await clock.advance(minute_ms - 10_000);
	await call(10_000, 0.5);
	await clock.advance(minute_ms - 1);
	assert.deepEqual(told, [false, true]);
	await clock.advance(1);
	assert.deepEqual(told, [false, true, false]);
	await call(10_000, 0.5);
	assert.deepEqual(told, [false, true, false, true]);
});

/** Makes garbage of which some stays for a while, and prints how large the space is, in MiB. */
const program = `
	import { getHeapSpaceStatistics } from "node:v8";
	import { setYoungGrowth } from "./src/lib/young-space.ts";
	const size = () => {
		const space = getHeapSpaceStatistics().find((one) => one.space_name === "new_space");
		return space.space_size / 1024 / 1024;
	};
	const churn = () => {
		let kept = [];
		for (let n = 0; n < 2_000_000; n += 1) {
			kept.push({ n, text: String(n) });
			if (kept.length > 5_000) kept = [];
		}
	};
	setYoungGrowth(false);
	const before = size();
	churn();
	const held = size();
	setYoungGrowth(true);
	churn();
	console.log(JSON.stringify({ before, held, grown: size() }));
`;

test("V8 does as it is told", async () => {
	const options = ["--max-semi-space-size=16", "--min-semi-space-size=2"];
	const args = [...options, "--input-type=module", "--eval", program];
	const { stdout } = await run(process.execPath, args);
	const { before, held, grown } = JSON.parse(stdout) as Record<string, number>;
	// Both halves are counted once the first collection has made the other.
	assert.ok(held !== undefined && before !== undefined && held <= 2 * before, stdout);
	assert.ok(grown !== undefined && grown >= 4 * held, stdout);
});
