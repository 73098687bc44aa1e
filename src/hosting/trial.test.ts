import assert from "node:assert/strict";
import { test } from "node:test";
import {
	acquire,
	end,
	type FakeHouse,
	fakeHouse,
	faultOf,
	good_start,
	leaseOf,
	serverPlan,
} from "../../test/support/fake-house.ts";
import { baseKey } from "./instance-key.ts";
import type { Lease } from "./lease.ts";
import type { Trial } from "./trial.ts";

const eager = { start: "eager" } as const;
const key = baseKey("a");

/** A house with a server that is ready, and a further version of it that starts as said. */
async function onTrial(start = good_start): Promise<{ house: FakeHouse; trial: Trial }> {
	const house = fakeHouse((_, number) => (number === 1 ? good_start : start));
	house.hosting.apply([serverPlan("a", eager)]);
	await house.clock.advance(1000);
	const trial = house.hosting.try(serverPlan("a", eager, 2), () => undefined);
	return { house, trial };
}

function versionOf(house: FakeHouse, lease: Lease | undefined): string | undefined {
	const upstream = house.driver.upstreams.find((one) => one === lease?.upstream);
	return upstream?.spec.args[0];
}

test("a new version starts beside the old, and nobody hears of it", async () => {
	const { house, trial } = await onTrial();
	await house.clock.advance(1000);
	assert.equal((await trial.ready).ok, true);
	assert.equal(house.driver.live_upstreams.length, 2);
	assert.equal(house.readied.length, 1);
	assert.equal(versionOf(house, house.hosting.tryAcquire(key)), "1");
	await end(house);
});

test("once it is live it takes every call, and calls in flight finish on the old", async () => {
	const { house, trial } = await onTrial();
	const before = house.hosting.tryAcquire(key);
	await house.clock.advance(1000);
	house.hosting.goLive(trial);
	assert.equal(house.readied.length, 2, "now everybody hears that it is ready");
	assert.equal(versionOf(house, house.hosting.tryAcquire(key)), "2");
	await house.clock.advance(1000);
	assert.equal(house.driver.upstreams[0]?.state, "open", "the old one is still in use");
	before?.release();
	await house.clock.advance(1000);
	assert.equal(house.driver.upstreams[0]?.state, "closed");
	await end(house);
});

test("one that does not start is told with its reason, and the old one runs on", async () => {
	const { house, trial } = await onTrial({ after_ms: 10, fault: "server_failed" });
	await house.clock.advance(100);
	const outcome = await trial.ready;
	assert.ok(!outcome.ok);
	assert.equal(outcome.problem.code, "server_failed");
	house.hosting.giveUp(trial, "it did not start");
	await house.clock.advance(60_000);
	assert.equal(house.driver.live_upstreams.length, 1);
	assert.equal(versionOf(house, house.hosting.tryAcquire(key)), "1");
	await end(house);
});

test("a share of the callers goes to it, each caller always the same way", async () => {
	const { house, trial } = await onTrial();
	await house.clock.advance(1000);
	trial.share(30);
	const wayOf = (caller: string) => (trial.takes(caller) ? "2" : "1");
	const callers = Array.from({ length: 1000 }, (_, number) => `caller-${number}`);
	const ways = callers.map(wayOf);
	assert.deepEqual(callers.map(wayOf), ways);
	const share = ways.filter((way) => way === "2").length;
	assert.ok(share > 230 && share < 370, `${share} of 1000`);
	const [chosen = ""] = callers.filter((caller) => trial.takes(caller));
	const taken = house.hosting.tryAcquire(key, { caller: chosen });
	assert.equal(taken, undefined, "its calls are not given away");
	const lease = await house.hosting.acquire(key, {
		signal: new AbortController().signal,
		wait_ms: 1000,
		caller: chosen,
	});
	assert.ok(lease.ok);
	assert.equal(versionOf(house, lease.value), "2");
	await end(house);
});

test("how calls ended is counted for both versions", async () => {
	const house = fakeHouse();
	house.hosting.apply([serverPlan("a", eager)]);
	await house.clock.advance(1000);
	let counts = 0;
	const trial = house.hosting.try(serverPlan("a", eager, 2), () => {
		counts += 1;
	});
	await house.clock.advance(1000);
	trial.share(100);
	const call = acquire(house, "a");
	await house.clock.advance(10);
	leaseOf(call).report?.(false);
	trial.share(0);
	house.hosting.tryAcquire(key)?.report?.(true);
	assert.deepEqual(trial.new_count, { calls: 1, failed: 1 });
	assert.deepEqual(trial.old_count, { calls: 1, failed: 0 });
	assert.equal(counts, 2);
	await end(house);
});

test("who waits for a version that is given up is served by the other", async () => {
	const { house, trial } = await onTrial({ after_ms: "hang" });
	await house.clock.advance(10);
	trial.share(100);
	const call = acquire(house, "a");
	await house.clock.advance(10);
	assert.equal(call.outcome, undefined);
	house.hosting.giveUp(trial, "it takes too long");
	await house.clock.advance(2000);
	assert.equal(versionOf(house, leaseOf(call)), "1");
	await end(house);
});

test("who waits for the old version is served by the one that replaced it", async () => {
	const house = fakeHouse((_, number) =>
		number === 1 ? { after_ms: "hang" } : number === 2 ? good_start : { after_ms: "hang" },
	);
	house.hosting.apply([serverPlan("a")]);
	const call = acquire(house, "a");
	await house.clock.advance(100);
	const trial = house.hosting.try(serverPlan("a", {}, 2), () => undefined);
	await house.clock.advance(1000);
	assert.equal((await trial.ready).ok, true);
	house.hosting.goLive(trial);
	await house.clock.advance(1000);
	assert.equal(versionOf(house, leaseOf(call)), "2");
	await end(house);
});

test("a further version takes the place of one that is on trial", async () => {
	const { house, trial } = await onTrial({ after_ms: "hang" });
	await house.clock.advance(10);
	const third = house.hosting.try(serverPlan("a", eager, 3), () => undefined);
	const outcome = await trial.ready;
	assert.ok(!outcome.ok);
	assert.match(outcome.problem.message, /another version came/);
	house.hosting.goLive(trial);
	assert.equal(house.hosting.trial("a"), third, "one that was given up cannot go live");
	await end(house);
});

test("a server that is removed takes its trial with it", async () => {
	const { house, trial } = await onTrial();
	await house.clock.advance(1000);
	house.hosting.apply([]);
	await house.clock.advance(60_000);
	assert.equal(house.driver.live_upstreams.length, 0);
	assert.equal((await trial.ready).ok, true);
	const refused = acquire(house, "a");
	await house.clock.advance(1);
	assert.equal(faultOf(refused).code, "server_unknown");
	await end(house);
});

test("instances are numbered on through all versions, in one journal", async () => {
	const { house, trial } = await onTrial();
	await house.clock.advance(1000);
	house.hosting.goLive(trial);
	await house.clock.advance(1000);
	const starts = house.hosting.lines("a").filter(({ text }) => text === "starting");
	assert.deepEqual(
		starts.map(({ instance }) => instance),
		[1, 2],
	);
	await end(house);
});

test("one of a server that is off is tried, but what ends later is not started again", async () => {
	let off: string | undefined = "It is switched off.";
	const house = fakeHouse(() => good_start, { switchedOff: () => off });
	house.hosting.apply([serverPlan("a", eager)]);
	await house.clock.advance(1000);
	assert.equal(house.driver.live_upstreams.length, 0);
	const trial = house.hosting.try(serverPlan("a", eager, 2), () => undefined);
	await house.clock.advance(1000);
	assert.equal((await trial.ready).ok, true);
	house.driver.live_upstreams[0]?.crash();
	await house.clock.advance(600_000);
	assert.equal(house.driver.live_upstreams.length, 0);
	off = undefined;
	house.hosting.reconsider("a");
	await house.clock.advance(1000);
	assert.deepEqual(
		house.driver.live_upstreams.map(({ spec }) => spec.args[0]).toSorted(),
		["1", "2"],
		"both run again once the server is on",
	);
	await end(house);
});

test("who would have one that cannot start has the old one, and that is held against it", async () => {
	const house = fakeHouse((_, number) => {
		if (number === 1) return good_start;
		return number === 2
			? { after_ms: 10, lives_ms: 1000 }
			: { after_ms: 10, fault: "server_failed" };
	});
	house.hosting.apply([serverPlan("a", eager)]);
	await house.clock.advance(1000);
	let counts = 0;
	const trial = house.hosting.try(serverPlan("a", eager, 2), () => {
		counts += 1;
	});
	await house.clock.advance(500);
	trial.share(100);
	assert.equal(trial.failure, undefined);
	await house.clock.advance(60_000);
	assert.match(trial.failure ?? "", /did not start/);
	const before = counts;
	const call = acquire(house, "a");
	await house.clock.advance(10);
	assert.equal(versionOf(house, leaseOf(call)), "1");
	assert.deepEqual(trial.new_count, { calls: 1, failed: 1 });
	assert.equal(counts, before + 1);
	await end(house);
});

test("a caller who gives up waiting for one says nothing against it", async () => {
	const { house, trial } = await onTrial({ after_ms: "hang" });
	trial.share(100);
	const abort = new AbortController();
	const call = acquire(house, "a", { signal: abort.signal });
	await house.clock.advance(10);
	abort.abort();
	await house.clock.advance(10);
	assert.equal(faultOf(call).code, "call_cancelled");
	assert.deepEqual(trial.new_count, { calls: 0, failed: 0 });
	await end(house);
});
