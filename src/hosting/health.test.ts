import assert from "node:assert/strict";
import { test } from "node:test";
import type { FakeStart, FakeUpstream } from "../../test/support/fake-driver.ts";
import {
	acquire,
	type FakeHouse,
	fakeHouse,
	leaseOf,
	serverPlan,
	stateOf,
} from "../../test/support/fake-house.ts";
import type { IdlePlan, ServerPlan } from "../config/plan.ts";
import { answer_ms_max } from "./pulse.ts";

const ping_ms = 60_000;
const health = { ping_ms, fails_max: 3 };
const asleep_later: IdlePlan = {
	keep: "on-demand",
	freeze_ms: 90_000,
	reclaim_ms: undefined,
	stop_ms: 600_000,
	warm_at: [],
	warm_on_list: false,
};

/** A house with one server that runs, and nobody uses. */
async function running(
	change: Partial<ServerPlan> = {},
	start: Partial<FakeStart> = {},
): Promise<{ house: FakeHouse; upstream: FakeUpstream }> {
	const house = fakeHouse(() => ({ after_ms: 100, sleep: {}, ...start }));
	house.hosting.apply([serverPlan("a", { health, ...change })]);
	const call = acquire(house, "a");
	await house.clock.advance(100);
	const lease = leaseOf(call);
	lease.release();
	return { house, upstream: lease.upstream as FakeUpstream };
}

const lines = ({ hosting }: FakeHouse) => hosting.lines("a").map(({ text }) => text);

test("a server that says nothing by itself is asked now and then, and lives on", async () => {
	const { house, upstream } = await running();
	await house.clock.advance(ping_ms - 1);
	assert.equal(upstream.pings, 0);
	await house.clock.advance(1);
	assert.equal(upstream.pings, 1);
	await house.clock.advance(9 * ping_ms);
	assert.equal(upstream.pings, 10);
	assert.equal(upstream.state, "open");
	assert.equal(stateOf(house, "a"), "ready");
});

test("a server that answers its calls is not asked", async () => {
	const { house, upstream } = await running();
	for (let minute = 0; minute < 5; minute++) {
		await house.clock.advance(ping_ms / 2);
		upstream.answers += 1;
		await house.clock.advance(ping_ms / 2);
	}
	assert.equal(upstream.pings, 0);
});

test("a server that hangs is started anew, and the reason is told", async () => {
	const { house, upstream } = await running();
	upstream.answering = false;
	await house.clock.advance(3 * (ping_ms + answer_ms_max) - 1);
	assert.deepEqual([upstream.pings, upstream.state], [3, "open"]);
	await house.clock.advance(1);
	assert.equal(upstream.state, "closed");
	const reason = 'The server "a" did not answer 3 signs of life.';
	const { reason: told, code, next_try_at_ms } = house.hosting.status("a") ?? {};
	assert.deepEqual([told, code], [reason, "server_failed"]);
	assert.ok((next_try_at_ms ?? 0) >= house.clock.now());
	assert.ok(lines(house).includes("did not answer 3 signs of life, ending it"));
	await house.clock.advance(5_000);
	assert.equal(stateOf(house, "a"), "ready");
	assert.equal(house.hosting.status("a")?.restarts, 1);
	assert.equal(house.driver.open_upstreams.length, 1);
	assert.equal(house.retired.length, 1);
});

test("its successor starts only when nothing of the one that hung is left", async () => {
	const { house, upstream } = await running({}, { close_ms: 3_000 });
	upstream.answering = false;
	await house.clock.advance(3 * (ping_ms + answer_ms_max));
	assert.deepEqual([upstream.state, stateOf(house, "a")], ["closing", "draining"]);
	const call = acquire(house, "a");
	await house.clock.advance(2_999);
	assert.equal(house.driver.live_upstreams.length, 1);
	await house.clock.advance(10_000);
	assert.deepEqual(house.driver.live_upstreams.length, 1);
	assert.notEqual(leaseOf(call).upstream, upstream);
});

test("signs of life that are missing now and then are forgiven", async () => {
	const { house, upstream } = await running();
	for (let times = 0; times < 4; times++) {
		upstream.answering = false;
		await house.clock.advance(2 * (ping_ms + answer_ms_max));
		upstream.answering = true;
		await house.clock.advance(ping_ms);
	}
	assert.deepEqual([upstream.pings, upstream.state], [12, "open"]);
	// Whatever it says while it is asked is a sign of life as well.
	upstream.answering = false;
	for (let times = 0; times < 6; times++) {
		await house.clock.advance(ping_ms);
		upstream.answers += 1;
		await house.clock.advance(answer_ms_max);
	}
	assert.equal(upstream.state, "open");
});

test("a server that hangs in the middle of a call is found, too", async () => {
	const { house, upstream } = await running();
	const call = acquire(house, "a");
	await house.clock.advance(0);
	assert.equal(leaseOf(call).upstream, upstream);
	upstream.answering = false;
	upstream.in_flight += 1;
	await house.clock.advance(3 * (ping_ms + answer_ms_max));
	assert.equal(upstream.state, "closed");
});

test("to be asked is no use: what nobody uses goes to sleep on time", async () => {
	const { house, upstream } = await running({ idle: asleep_later });
	upstream.answering = false;
	await house.clock.advance(asleep_later.freeze_ms ?? 0);
	assert.deepEqual([upstream.pings, stateOf(house, "a")], [1, "frozen"]);
	await house.clock.advance((asleep_later.stop_ms ?? 0) - (asleep_later.freeze_ms ?? 0) - 1);
	assert.deepEqual([upstream.pings, upstream.state], [1, "open"]);
	await house.clock.advance(1);
	assert.equal(upstream.state, "closed");
});

test("what is frozen is not asked, and what is woken has all its time again", async () => {
	const freeze_ms = 2 * (ping_ms + answer_ms_max) + ping_ms + 1_000;
	const { house, upstream } = await running({ idle: { ...asleep_later, freeze_ms } });
	upstream.answering = false;
	await house.clock.advance(freeze_ms);
	// It went to sleep while the third sign of life was waited for.
	assert.deepEqual([upstream.pings, stateOf(house, "a")], [3, "frozen"]);
	assert.equal(upstream.in_flight, 0);
	await house.clock.advance(200_000);
	assert.equal(upstream.pings, 3);
	const call = acquire(house, "a");
	await house.clock.advance(0);
	leaseOf(call).release();
	await house.clock.advance(ping_ms - 1);
	assert.deepEqual([upstream.pings, stateOf(house, "a")], [3, "ready"]);
	await house.clock.advance(1);
	assert.deepEqual([upstream.pings, stateOf(house, "a")], [4, "ready"]);
});

test("a server that hangs is found although it sleeps after each call that was given up", async () => {
	const { house, upstream } = await running({ idle: asleep_later });
	upstream.answering = false;
	await house.clock.advance(asleep_later.freeze_ms ?? 0);
	for (let asked = 1; asked < 3; asked++) {
		assert.deepEqual([upstream.pings, stateOf(house, "a")], [asked, "frozen"]);
		const call = acquire(house, "a");
		await house.clock.advance(0);
		leaseOf(call).release();
		await house.clock.advance(asleep_later.freeze_ms ?? 0);
	}
	assert.deepEqual([upstream.pings, upstream.state], [3, "closed"]);
});

test("a server that answers after it was woken owes nothing any more", async () => {
	const { house, upstream } = await running({ idle: asleep_later });
	for (let asked = 1; asked < 6; asked++) {
		upstream.answering = false;
		await house.clock.advance(asleep_later.freeze_ms ?? 0);
		assert.deepEqual([upstream.pings, stateOf(house, "a")], [asked, "frozen"]);
		const call = acquire(house, "a");
		await house.clock.advance(0);
		upstream.answers += 1;
		leaseOf(call).release();
	}
	assert.equal(upstream.state, "open");
});

test("what is held still for a copy is not asked meanwhile", async () => {
	const { house, upstream } = await running();
	upstream.answering = false;
	const go_on = await house.hosting.still("a");
	await house.clock.advance(20 * ping_ms);
	assert.equal(upstream.pings, 0);
	await go_on();
	await house.clock.advance(ping_ms);
	assert.deepEqual([upstream.pings, upstream.state], [1, "open"]);
});

test("whoever does not want to know asks nothing", async () => {
	const { house, upstream } = await running({ health: { ping_ms: undefined, fails_max: 1 } });
	upstream.answering = false;
	await house.clock.advance(100 * ping_ms);
	assert.deepEqual([upstream.pings, upstream.state], [0, "open"]);
});
