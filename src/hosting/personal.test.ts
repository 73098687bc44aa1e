import assert from "node:assert/strict";
import { test } from "node:test";
import {
	acquire,
	end,
	fakeHouse,
	faultOf,
	leaseOf,
	serverPlan,
	stateOf,
} from "../../test/support/fake-house.ts";
import type { InstanceKey } from "./instance-key.ts";

/** Servers of which all that runs is somebody's, with an account of theirs. */

const ana: InstanceKey = { server: "a", scope_key: "user:acme/ana", capabilities: "{}" };
const plan = serverPlan("a", { start: "eager", scope: "user" });

function house({ known = false } = {}) {
	const own = fakeHouse(undefined, {
		isPersonal: ({ scope }) => scope === "user",
		isKnown: () => known,
	});
	const starts = () => own.driver.starts.get("a") ?? 0;
	return { ...own, starts };
}

test("nothing of it is started for nobody, whatever its plan says, and its status says why", async () => {
	const own = house();
	own.hosting.apply([plan]);
	await own.hosting.settled("a", { wait_ms: 1 });
	await own.clock.advance(3_600_000);
	own.hosting.wake("a");
	await own.clock.advance(1_000);
	assert.equal(own.starts(), 0);
	const { state, code, reason } = own.hosting.status("a") ?? {};
	assert.deepEqual([state, code], ["stopped", "authorization_required"]);
	assert.match(reason ?? "", /waits for the first person/);
	await end(own);
});

test("whoever asks for it in nobody's name is told at once that people connect their own", async () => {
	const own = house();
	own.hosting.apply([plan]);
	const attempt = acquire(own, "a");
	await own.clock.advance(0);
	assert.equal(faultOf(attempt).code, "authorization_required");
	assert.match(faultOf(attempt).message, /\/oauth\/connect/);
	assert.equal(own.starts(), 0);
	await end(own);
});

test("it is not warmed for nobody, but what somebody has is woken", async () => {
	const idle = { ...plan.idle, keep: "warm", freeze_ms: 1_000, warm_at: ["08:00"] } as const;
	const own = fakeHouse(() => ({ after_ms: 100, sleep: {} }), {
		isPersonal: () => true,
		offsetAt: () => 0,
	});
	own.hosting.apply([{ ...plan, idle }]);
	await own.clock.advance(8 * 3_600_000 + 1_000);
	assert.equal(own.driver.starts.get("a") ?? 0, 0);
	const attempt = acquire(own, "a", { key: ana });
	await own.clock.advance(1_000);
	leaseOf(attempt).release();
	await own.clock.advance(10_000);
	assert.equal(stateOf(own, "a"), "frozen");
	await own.clock.advance(24 * 3_600_000 - 11_000);
	assert.equal(own.driver.starts.get("a"), 1);
	assert.equal(own.hosting.status("a")?.wakes, 1);
	await end(own);
});

test("once somebody has an instance it is ready, and once it is known it waits for nobody", async () => {
	const own = house();
	own.hosting.apply([plan]);
	const attempt = acquire(own, "a", { key: ana });
	await own.clock.advance(1_000);
	leaseOf(attempt).release();
	assert.equal(stateOf(own, "a"), "ready");
	assert.equal(own.hosting.status("a")?.reason, undefined);
	await end(own);
	const known = house({ known: true });
	known.hosting.apply([plan]);
	await known.clock.advance(1_000);
	assert.equal(known.starts(), 0);
	assert.deepEqual(
		[stateOf(known, "a"), known.hosting.status("a")?.reason],
		["stopped", undefined],
	);
	await end(known);
});

test("a new version of it is not tried in anybody's name, and may take over", async () => {
	const own = house();
	own.hosting.apply([plan]);
	const trial = own.hosting.try(
		serverPlan("a", { start: "eager", scope: "user" }, 2),
		() => undefined,
	);
	assert.deepEqual(await trial.ready, { ok: true, value: undefined });
	await own.clock.advance(1_000);
	assert.equal(own.starts(), 0);
	own.hosting.goLive(trial);
	const attempt = acquire(own, "a", { key: ana });
	await own.clock.advance(1_000);
	const { upstream } = leaseOf(attempt);
	const started = own.driver.upstreams.find((one) => one === upstream);
	assert.equal(started?.spec.args[0], "2");
	leaseOf(attempt).release();
	await end(own);
});
