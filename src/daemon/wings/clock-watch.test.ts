import assert from "node:assert/strict";
import { test } from "node:test";
import { ClockWatch } from "./clock-watch.ts";

test("a wall clock that jumps is told once, either way, and slow drift is none", () => {
	let [wall_ms, steady_ms] = [1_000_000, 0];
	const never = () => ({ cancel: () => undefined });
	const clock = { now: () => wall_ms, monotonic: () => steady_ms, after: never, afterIdle: never };
	const watch = new ClockWatch(clock);
	for (const [wall, steady, jumped] of [
		[3_600_000, 3_600_000, 0],
		[3_605_000, 3_600_000, 0],
		[86_400_000, 3_600_000, 82_800_000],
		[3_600_000, 3_600_000, 0],
		[-50_000_000, 1_000, -50_001_000],
		[1_000, 1_000, 0],
	] as const) {
		wall_ms += wall;
		steady_ms += steady;
		assert.equal(watch.jumped(), jumped);
	}
});
