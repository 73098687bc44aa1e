import assert from "node:assert/strict";
import { test } from "node:test";
import { FakeClock } from "../../test/support/fake-clock.ts";
import { withinTime } from "./clock.ts";

test("what comes in time ends the wait, and leaves no timer behind", async () => {
	const clock = new FakeClock();
	await withinTime(clock, 1_000, Promise.resolve());
	assert.equal(clock.pending, 0);
	await assert.rejects(withinTime(clock, 1_000, Promise.reject(new Error("broken"))), /broken/);
	assert.equal(clock.pending, 0);
});

test("what does not come is waited for so long and no longer", async () => {
	const clock = new FakeClock();
	let is_over = false;
	const waiting = withinTime(clock, 1_000, new Promise(() => {})).then(() => {
		is_over = true;
	});
	await clock.advance(999);
	assert.ok(!is_over);
	await clock.advance(1);
	await waiting;
});
