import assert from "node:assert/strict";
import { test } from "node:test";
import { ClockWatch } from "./clock-watch.ts";

const hour_ms = 3_600_000;

function setUp() {
	let [wall_ms, steady_ms] = [1_000_000, 0];
	const never = () => ({ cancel: () => undefined });
	const clock = { now: () => wall_ms, monotonic: () => steady_ms, after: never, afterIdle: never };
	const watch = new ClockWatch(clock);
	return (wall: number, steady: number) => {
		wall_ms += wall;
		steady_ms += steady;
		return watch.jumped();
	};
}

test("a wall clock that jumps either way is not believed for two hours, and slow drift is none", () => {
	const pass = setUp();
	for (const [wall, steady, jumped] of [
		[hour_ms, hour_ms, 0],
		[hour_ms + 5_000, hour_ms, 0],
		[24 * hour_ms, hour_ms, 23 * hour_ms],
		[hour_ms, hour_ms, 23 * hour_ms],
		[hour_ms, hour_ms, 0],
		[-48 * hour_ms, hour_ms, -49 * hour_ms],
		[60_000, 60_000, -49 * hour_ms],
		[2 * hour_ms, 2 * hour_ms, 0],
	] as const) {
		assert.equal(pass(wall, steady), jumped);
	}
});

test("a wall clock that is set back to where it was is believed at once", () => {
	const pass = setUp();
	const year_ms = 365 * 24 * hour_ms;
	assert.equal(pass(year_ms, 0), year_ms);
	assert.equal(pass(60_000, 60_000), year_ms);
	assert.equal(pass(60_000 - year_ms, 60_000), 0);
	assert.equal(pass(hour_ms, hour_ms), 0);
});
