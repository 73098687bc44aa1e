import assert from "node:assert/strict";
import { test } from "node:test";
import {
	acquire,
	type FakeHouse,
	fakeHouse,
	leaseOf,
	serverPlan,
	stateOf,
} from "../../test/support/fake-house.ts";
import type { IdlePlan, ServerPlan } from "../config/plan.ts";
import type { InstanceKey } from "./hosting.ts";

const hour_ms = 3_600_000;
const ladder: IdlePlan = {
	keep: "on-demand",
	freeze_ms: 30_000,
	reclaim_ms: undefined,
	stop_ms: 900_000,
	warm_at: ["08:00"],
	warm_on_list: false,
};

/** The clock of a house begins at midnight, UTC, on a Thursday. */
function house(offset_hours = 0): FakeHouse {
	return fakeHouse(() => ({ after_ms: 100, sleep: {} }), {
		offsetAt: () => offset_hours * hour_ms,
	});
}

function plan(idle: Partial<IdlePlan> = {}): ServerPlan {
	return serverPlan("a", { idle: { ...ladder, ...idle } });
}

const starts = ({ driver }: FakeHouse) => driver.starts.get("a") ?? 0;

test("a server that does not run is started at its time, and goes down the ladder again", async () => {
	const own = house();
	own.hosting.apply([plan()]);
	await own.clock.advance(8 * hour_ms - 1);
	assert.equal(starts(own), 0);
	await own.clock.advance(1);
	assert.equal(starts(own), 1);
	await own.clock.advance(100);
	assert.equal(stateOf(own, "a"), "ready");
	await own.clock.advance(30_000);
	assert.equal(stateOf(own, "a"), "frozen");
	await own.clock.advance(900_000);
	assert.equal(stateOf(own, "a"), "stopped");
	await own.clock.advance(24 * hour_ms);
	assert.equal(starts(own), 2);
});

test("times are those of the zone, on the days that were named", async () => {
	const own = house(-5);
	own.hosting.apply([plan({ warm_at: ["fri 08:00"] })]);
	// It is Thursday here, and still Wednesday evening there.
	await own.clock.advance(37 * hour_ms - 1);
	assert.equal(starts(own), 0);
	await own.clock.advance(1);
	assert.equal(starts(own), 1);
	await own.clock.advance(6 * 24 * hour_ms);
	assert.equal(starts(own), 1);
});

test("a frozen server is woken, and one that is awake is left alone", async () => {
	const own = house();
	own.hosting.apply([plan({ stop_ms: undefined })]);
	await own.clock.advance(7 * hour_ms);
	const call = acquire(own, "a");
	await own.clock.advance(100);
	leaseOf(call).release();
	await own.clock.advance(hour_ms - 101);
	assert.equal(stateOf(own, "a"), "frozen");
	await own.clock.advance(1);
	assert.equal(stateOf(own, "a"), "ready");
	await own.clock.advance(30_000);
	assert.equal(stateOf(own, "a"), "frozen");
	assert.equal(starts(own), 1);
	const busy = acquire(own, "a");
	await own.clock.advance(24 * hour_ms);
	assert.equal(stateOf(own, "a"), "ready");
	assert.equal(starts(own), 1);
	leaseOf(busy).release();
});

test("what is warmed is what clients asked for last", async () => {
	const own = house();
	own.hosting.apply([plan()]);
	const key: InstanceKey = { server: "a", scope_key: "", capabilities: '{"roots":{}}' };
	const call = acquire(own, "a", { key });
	await own.clock.advance(100);
	leaseOf(call).release();
	await own.clock.advance(8 * hour_ms);
	assert.deepEqual(
		own.driver.upstreams.map(({ capabilities }) => capabilities),
		[key.capabilities, key.capabilities],
	);
});

test("a server that is removed, or says no more when, is not warmed", async () => {
	const own = house();
	own.hosting.apply([plan()]);
	await own.clock.advance(hour_ms);
	const { fingerprint, ...rest } = plan({ warm_at: [] });
	own.hosting.apply([{ ...rest, fingerprint: `${fingerprint} without` }]);
	await own.clock.advance(8 * hour_ms);
	assert.equal(starts(own), 0);
	own.hosting.apply([]);
	await own.clock.advance(24 * hour_ms);
	assert.equal(starts(own), 0);
});
