import assert from "node:assert/strict";
import { test } from "node:test";
import { FakeClock, settle } from "../../../../test/support/fake-clock.ts";
import { OAuthProblem } from "./oauth-problem.ts";
import { Unfinished } from "./unfinished.ts";

test("whoever closes waits for what has begun, and nothing begins any more", async () => {
	const unfinished = new Unfinished();
	const ends = [unfinished.begin(), unfinished.begin()];
	let is_closed = false;
	const closed = unfinished.close(new FakeClock()).then(() => {
		is_closed = true;
	});
	assert.throws(() => unfinished.begin(), OAuthProblem);
	ends[0]?.();
	await settle();
	assert.equal(is_closed, false);
	ends[1]?.();
	await closed;
});

test("nobody waits where nothing is under way, nor for ever for what does not end", async () => {
	await new Unfinished().close(new FakeClock());
	const clock = new FakeClock();
	const unfinished = new Unfinished();
	unfinished.begin();
	const closed = unfinished.close(clock);
	await clock.advance(20_000);
	await closed;
});
