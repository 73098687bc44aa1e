import assert from "node:assert/strict";
import { test } from "node:test";
import { settle } from "../../test/support/fake-clock.ts";
import type { FakeSleep, FakeUpstream } from "../../test/support/fake-driver.ts";
import {
	acquire,
	end,
	type FakeHouse,
	fakeHouse,
	faultOf,
	leaseOf,
	serverPlan,
	stateOf,
} from "../../test/support/fake-house.ts";
import type { IdlePlan, ServerPlan } from "../config/plan.ts";
import { atEndOfTurn } from "../lib/turn.ts";
import type { UpstreamAsk } from "../upstreams/driver.ts";
import { baseKey } from "./instance-key.ts";

const ladder: IdlePlan = {
	keep: "on-demand",
	freeze_ms: 1_000,
	reclaim_ms: 5_000,
	stop_ms: 20_000,
	warm_at: [],
	warm_on_list: false,
};

/** A house with one server that goes down the ladder. */
function sleepyHouse(
	options: { sleep?: FakeSleep | undefined; close_ms?: number; known?: boolean } = {},
): FakeHouse {
	const { close_ms = 0 } = options;
	const sleep = "sleep" in options ? options.sleep : {};
	return fakeHouse(() => ({ after_ms: 100, close_ms, ...(sleep && { sleep }) }), {
		isKnown: () => options.known === true,
	});
}

function plan(idle: Partial<IdlePlan> = {}, change: Partial<ServerPlan> = {}): ServerPlan {
	return serverPlan("a", { idle: { ...ladder, ...idle }, ...change });
}

async function started(house: FakeHouse): Promise<FakeUpstream> {
	const call = acquire(house, "a");
	await house.clock.advance(100);
	const lease = leaseOf(call);
	lease.release();
	return lease.upstream as FakeUpstream;
}

test("an unused server is frozen, gives its memory back, and is stopped", async () => {
	const house = sleepyHouse({ sleep: { reclaims_bytes: 4096 } });
	house.hosting.apply([plan()]);
	const upstream = await started(house);
	await house.clock.advance(999);
	assert.equal(stateOf(house, "a"), "ready");
	await house.clock.advance(1);
	assert.equal(stateOf(house, "a"), "frozen");
	assert.deepEqual(upstream.hibernation?.log, ["freeze", "+freeze"]);
	await house.clock.advance(4_000);
	assert.deepEqual(upstream.hibernation?.log, ["freeze", "+freeze", "reclaim"]);
	assert.equal(stateOf(house, "a"), "frozen");
	await house.clock.advance(14_999);
	assert.equal(upstream.state, "open");
	await house.clock.advance(1);
	assert.equal(stateOf(house, "a"), "stopped");
	assert.equal(upstream.state, "closed");
	// It was woken to end by itself.
	assert.equal(upstream.hibernation?.frozen, false);
	assert.deepEqual(house.retired, [{ key: baseKey("a"), upstream }]);
	assert.deepEqual(house.hosting.status("a")?.instances, []);
	await house.clock.advance(3_600_000);
	assert.equal(house.driver.starts.get("a"), 1);
});

test("a frozen server gives a lease at once and is awake with it", async () => {
	const house = sleepyHouse();
	house.hosting.apply([plan()]);
	const upstream = await started(house);
	await house.clock.advance(6_000);
	const lease = house.hosting.tryAcquire(baseKey("a"));
	assert.equal(lease?.upstream, upstream);
	// The thaw was asked for before anything can be sent.
	assert.deepEqual(upstream.hibernation?.log, ["freeze", "+freeze", "reclaim", "thaw"]);
	assert.equal(stateOf(house, "a"), "ready");
	await house.clock.advance(60_000);
	assert.equal(stateOf(house, "a"), "ready");
	lease?.release();
	await house.clock.advance(1_000);
	assert.equal(stateOf(house, "a"), "frozen");
	const again = acquire(house, "a");
	await settle();
	assert.equal(leaseOf(again).upstream, upstream);
	assert.equal(again.answered_at_ms, house.clock.monotonic());
	await end(house);
});

test("a wake is told once the call that caused it is on its way, and planned then", async () => {
	const house = sleepyHouse();
	house.hosting.apply([plan()]);
	await started(house);
	await house.clock.advance(1_000);
	const told = house.statuses.length;
	const order: string[] = [];
	const lease = house.hosting.tryAcquire(baseKey("a"));
	atEndOfTurn(() => order.push(`sent after ${house.statuses.length - told}`));
	await house.clock.advance(0);
	await settle();
	order.push(`${house.statuses.at(-1)?.state}`);
	assert.deepEqual(order, ["sent after 0", "ready"]);
	lease?.release();
	await house.clock.advance(1_000);
	assert.equal(stateOf(house, "a"), "frozen");
	await end(house);
});

test("a thaw never overtakes the freeze before it", async () => {
	const house = sleepyHouse({ sleep: { freeze_ms: 50 } });
	house.hosting.apply([plan()]);
	const upstream = await started(house);
	await house.clock.advance(1_010);
	house.hosting.tryAcquire(baseKey("a"))?.release();
	assert.deepEqual(upstream.hibernation?.log, ["freeze"]);
	await house.clock.advance(40);
	assert.deepEqual(upstream.hibernation?.log, ["freeze", "+freeze", "thaw"]);
	assert.equal(upstream.hibernation?.frozen, false);
});

test("a stopped server starts with the next call, once for all that come", async () => {
	const house = sleepyHouse();
	house.hosting.apply([plan()]);
	await started(house);
	await house.clock.advance(20_000);
	assert.equal(stateOf(house, "a"), "stopped");
	const calls = [1, 2, 3, 4].map(() => acquire(house, "a"));
	await house.clock.advance(100);
	for (const call of calls) leaseOf(call);
	assert.equal(house.driver.starts.get("a"), 2);
	assert.equal(house.hosting.status("a")?.restarts, 0);
});

test("a call that comes while its server stops waits, and two never run at once", async () => {
	const house = sleepyHouse({ close_ms: 700 });
	house.hosting.apply([plan()]);
	const first = await started(house);
	await house.clock.advance(20_000);
	assert.equal(stateOf(house, "a"), "draining");
	const call = acquire(house, "a");
	await house.clock.advance(699);
	assert.equal(first.state, "closing");
	assert.equal(house.driver.starts.get("a"), 1);
	await house.clock.advance(101);
	assert.equal(house.driver.upstreams.length, 2);
	leaseOf(call);
	await end(house);
});

test("a server removed while it stops is gone when it has stopped", async () => {
	const house = sleepyHouse({ close_ms: 700 });
	house.hosting.apply([plan()]);
	await started(house);
	await house.clock.advance(20_100);
	house.hosting.apply([]);
	await house.clock.advance(600);
	assert.deepEqual(house.hosting.lines("a"), []);
	assert.equal(house.driver.live_upstreams.length, 0);
});

test("what cannot be frozen stays awake until it is stopped", async () => {
	const house = sleepyHouse({ sleep: undefined });
	house.hosting.apply([plan()]);
	await started(house);
	await house.clock.advance(19_999);
	assert.equal(stateOf(house, "a"), "ready");
	await house.clock.advance(1);
	assert.equal(stateOf(house, "a"), "stopped");
});

test("a freeze that fails is said once and not tried again with this instance", async () => {
	const house = sleepyHouse({ sleep: { freezes: false } });
	house.hosting.apply([plan()]);
	const upstream = await started(house);
	await house.clock.advance(10_000);
	assert.equal(stateOf(house, "a"), "ready");
	assert.deepEqual(upstream.hibernation?.log, ["freeze", "+freeze"]);
	const said = house.hosting.lines("a").filter(({ text }) => /could not be frozen/.test(text));
	assert.equal(said.length, 1);
	await house.clock.advance(10_000);
	assert.equal(stateOf(house, "a"), "stopped");
});

test("a server that cannot be woken is started anew, with the reason", async () => {
	const house = sleepyHouse({ sleep: { thaws: false } });
	house.hosting.apply([plan()]);
	await started(house);
	await house.clock.advance(2_000);
	const lease = house.hosting.tryAcquire(baseKey("a"));
	await settle();
	const status = house.hosting.status("a");
	assert.match(status?.reason ?? "", /"a" could not be woken/);
	lease?.release();
	await house.clock.advance(700);
	assert.equal(house.driver.starts.get("a"), 2);
	assert.equal(stateOf(house, "a"), "ready");
	await end(house);
});

test("requests without a lease and questions without a call keep a server awake", async () => {
	const house = sleepyHouse();
	house.hosting.apply([plan()]);
	const upstream = await started(house);
	upstream.in_flight = 1;
	await house.clock.advance(60_000);
	assert.equal(stateOf(house, "a"), "ready");
	const withdrawn = new AbortController();
	const answers: unknown[] = [];
	const ask: Omit<UpstreamAsk, "message"> = {
		answer: (outcome) => answers.push(outcome),
		signal: withdrawn.signal,
	};
	upstream.context.onRequest(ask as UpstreamAsk);
	upstream.in_flight = 0;
	await house.clock.advance(60_000);
	assert.equal(stateOf(house, "a"), "ready");
	withdrawn.abort();
	await house.clock.advance(999);
	assert.equal(stateOf(house, "a"), "ready");
	await house.clock.advance(1);
	assert.equal(stateOf(house, "a"), "frozen");
});

test("a server that crashes in its sleep is started anew as long as it would be there", async () => {
	const house = sleepyHouse();
	house.hosting.apply([plan()]);
	const upstream = await started(house);
	await house.clock.advance(2_000);
	upstream.crash(9);
	await house.clock.advance(700);
	assert.equal(house.driver.starts.get("a"), 2);
	assert.match(house.hosting.lines("a").at(-1)?.text ?? "", /^ready/);
	await end(house);
});

test("a server of which nobody knows what it offers is started with the gateway", async () => {
	const house = sleepyHouse({ known: false });
	house.hosting.apply([plan({}, { start: "eager" })]);
	await house.clock.advance(60_000);
	assert.equal(house.driver.starts.get("a"), 1);
	// It runs on, but costs no processor time.
	assert.equal(stateOf(house, "a"), "frozen");
});

test("a server whose offers are known is not started before it is used", async () => {
	let known = true;
	const house = fakeHouse(() => ({ after_ms: 100, sleep: {} }), { isKnown: () => known });
	house.hosting.apply([plan({}, { start: "eager" })]);
	let settled = false;
	void house.hosting.settled("a", { wait_ms: 5_000 }).then(() => {
		settled = true;
	});
	await house.clock.advance(0);
	assert.equal(stateOf(house, "a"), "stopped");
	assert.equal(settled, true);
	known = false;
	house.hosting.reconsider("a");
	await house.clock.advance(100);
	assert.equal(stateOf(house, "a"), "ready");
	known = true;
	house.hosting.reconsider("a");
	await house.clock.advance(20_000);
	assert.equal(stateOf(house, "a"), "stopped");
	await end(house);
});

test("servers kept warm or always are started with the gateway, known or not", async () => {
	const house = sleepyHouse({ known: true });
	house.hosting.apply([
		{ ...plan({ keep: "warm" }, { start: "eager" }), name: "warm", fingerprint: "warm" },
		{ ...plan({ keep: "always" }, { start: "eager" }), name: "always", fingerprint: "always" },
	]);
	await house.clock.advance(3_600_000);
	assert.equal(stateOf(house, "warm"), "frozen");
	assert.equal(stateOf(house, "always"), "ready");
	assert.deepEqual(house.driver.upstreams[1]?.hibernation?.log, []);
	await end(house);
});

test("a changed configuration reaches a frozen server", async () => {
	const house = sleepyHouse();
	house.hosting.apply([plan()]);
	const upstream = await started(house);
	await house.clock.advance(2_000);
	house.hosting.apply([{ ...plan(), fingerprint: "other" }]);
	await house.clock.advance(200);
	assert.equal(upstream.state, "closed");
	assert.equal(upstream.hibernation?.frozen, false);
	assert.equal(stateOf(house, "a"), "ready");
	await house.clock.advance(1_000);
	assert.equal(stateOf(house, "a"), "frozen");
	await end(house);
});

test("a stop ends what sleeps too", async () => {
	const house = sleepyHouse();
	house.hosting.apply([plan()]);
	await started(house);
	await house.clock.advance(2_000);
	const refused = acquire(house, "nobody");
	await settle();
	faultOf(refused);
	await end(house);
	assert.equal(house.driver.upstreams[0]?.hibernation?.frozen, false);
});
