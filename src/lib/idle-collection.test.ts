import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { test } from "node:test";
import { promisify } from "node:util";
import { FakeClock } from "../../test/support/fake-clock.ts";
import { collectWhenIdle } from "./idle-collection.ts";

const mb = 1024 ** 2;
const run = promisify(execFile);

function watched() {
	const clock = new FakeClock();
	const state = { work: 0, is_awaited: false, heap_bytes: 40 * mb, collected: 0 };
	const stop = collectWhenIdle({
		clock,
		workShare: () => state.work,
		isAwaited: () => state.is_awaited,
		heapBytes: () => state.heap_bytes,
		collect() {
			state.collected += 1;
			state.heap_bytes = 25 * mb;
		},
	});
	return { clock, state, stop };
}

test("memory is given back once soon after the start, and not again without a reason", async () => {
	const { clock, state } = watched();
	await clock.advance(499);
	assert.equal(state.collected, 0);
	await clock.advance(1);
	assert.equal(state.collected, 1);
	state.heap_bytes += 6 * mb - 1;
	await clock.advance(60_000);
	assert.equal(state.collected, 1);
});

test("what work has left behind is given back after ten quiet seconds", async () => {
	const { clock, state } = watched();
	await clock.advance(500);
	state.heap_bytes += 6 * mb;
	state.work = 0.06;
	await clock.advance(30_000);
	assert.equal(state.collected, 1);
	state.work = 0.05;
	await clock.advance(10_000);
	assert.equal(state.collected, 2);
});

test("nothing is collected while somebody waits", async () => {
	const { clock, state } = watched();
	state.is_awaited = true;
	await clock.advance(5_000);
	assert.equal(state.collected, 0);
	state.is_awaited = false;
	await clock.advance(500);
	assert.equal(state.collected, 1);
});

test("it ends, and leaves no timer behind", async () => {
	const { clock, state, stop } = watched();
	stop();
	assert.equal(clock.pending, 0);
	await clock.advance(60_000);
	assert.equal(state.collected, 0);
});

test("a process gives its memory back, if it was started so that it can", async () => {
	const program = `
		const { thisProcess } = await import(${JSON.stringify(new URL("./idle-collection.ts", import.meta.url).href)});
		// Time before the loop runs is not counted as work of its.
		await new Promise((resolve) => setTimeout(resolve, 10));
		const own = thisProcess(undefined, () => false);
		if (own === undefined) console.log("cannot");
		else {
			const start_bytes = own.heapBytes();
			let left = Array.from({ length: 500_000 }, (_, index) => ({ index }));
			const full_bytes = own.heapBytes();
			left = undefined;
			own.collect();
			const share = own.workShare();
			console.log(JSON.stringify({ start_bytes, full_bytes, end_bytes: own.heapBytes(), share }));
		}
	`;
	const args = ["--input-type=module", "-e", program];
	assert.equal((await run(process.execPath, args)).stdout, "cannot\n");
	const { stdout } = await run(process.execPath, ["--expose-gc", ...args]);
	const { start_bytes, full_bytes, end_bytes, share } = JSON.parse(stdout);
	assert.ok(full_bytes > start_bytes + 10 * mb, stdout);
	assert.ok(end_bytes < full_bytes - 10 * mb, stdout);
	assert.ok(share > 0 && share <= 1, stdout);
});
