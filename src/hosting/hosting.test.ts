import assert from "node:assert/strict";
import { test } from "node:test";
import { settle } from "../../test/support/fake-clock.ts";
import {
	type Attempt,
	acquire,
	end,
	type FakeHouse,
	fakeHouse,
	faultOf,
	good_start,
	leaseOf,
	serverPlan,
	stateOf,
} from "../../test/support/fake-house.ts";
import { default_instances } from "../config/defaults.ts";
import { drain_at_stop_ms } from "./hosting.ts";
import { baseKey } from "./instance-key.ts";
import { drain_ms_max } from "./server.ts";

const eager = { start: "eager" } as const;

test("an eager server starts by itself, an on-demand server with its first call", async () => {
	const house = fakeHouse();
	house.hosting.apply([serverPlan("a", eager), serverPlan("b")]);
	await house.clock.advance(1000);
	assert.equal(stateOf(house, "a"), "ready");
	assert.equal(stateOf(house, "b"), "stopped");
	assert.deepEqual(house.readied[0]?.key, baseKey("a"));
	const call = acquire(house, "b");
	await house.clock.advance(1000);
	assert.equal(leaseOf(call).upstream, house.driver.upstreams[1]);
	assert.equal(call.answered_at_ms, 1100);
	await end(house);
});

test("calls that come together share one start and are served in their order", async () => {
	const house = fakeHouse();
	house.hosting.apply([serverPlan("a")]);
	const calls = [1, 2, 3, 4].map(() => acquire(house, "a"));
	await house.clock.advance(100);
	assert.equal(house.driver.upstreams.length, 1);
	for (const call of calls) assert.equal(leaseOf(call).upstream, house.driver.upstreams[0]);
	assert.equal(house.hosting.status("a")?.instances[0]?.leases, 4);
});

test("the fast way gives a lease exactly when an instance is ready and has room", async () => {
	const house = fakeHouse();
	house.hosting.apply([serverPlan("a")]);
	assert.equal(house.hosting.tryAcquire(baseKey("a")), undefined);
	assert.equal(house.hosting.tryAcquire(baseKey("nobody")), undefined);
	acquire(house, "a");
	await house.clock.advance(100);
	const leases = [1, 2, 3].map(() => house.hosting.tryAcquire(baseKey("a")));
	assert.ok(leases.every((lease) => lease !== undefined));
	assert.equal(house.hosting.tryAcquire(baseKey("a")), undefined);
	leases[0]?.release();
	leases[0]?.release();
	assert.ok(house.hosting.tryAcquire(baseKey("a")) !== undefined);
	assert.equal(house.hosting.tryAcquire(baseKey("a")), undefined);
});

test("only so many calls wait for a server that starts", async () => {
	const house = fakeHouse();
	const plan = serverPlan("a");
	house.hosting.apply([plan]);
	// Four of them are served at once when it is ready.
	const waiting = Array.from({ length: 4 + plan.instances.queue_calls_max }, () =>
		acquire(house, "a"),
	);
	const surplus = acquire(house, "a");
	await settle();
	const fault = faultOf(surplus);
	assert.equal(fault.code, "queue_full");
	assert.ok(fault.retry_safe);
	await house.clock.advance(100);
	for (const call of waiting) {
		leaseOf(call).release();
		await settle();
	}
});

test("a call that may not wait longer is told that the server is still starting", async () => {
	const house = fakeHouse(() => ({ after_ms: 5_000 }));
	house.hosting.apply([serverPlan("a")]);
	const call = acquire(house, "a", { wait_ms: 300 });
	await house.clock.advance(300);
	assert.equal(faultOf(call).code, "server_starting");
	assert.equal(call.answered_at_ms, 300);
	await house.clock.advance(4_700);
	assert.equal(stateOf(house, "a"), "ready");
});

test("a call that is cancelled while it waits is answered and takes no lease", async () => {
	const house = fakeHouse();
	house.hosting.apply([serverPlan("a")]);
	const abort = new AbortController();
	const call = acquire(house, "a", { signal: abort.signal });
	const late = acquire(house, "a", { signal: AbortSignal.abort() });
	await settle();
	abort.abort();
	await settle();
	assert.equal(faultOf(call).code, "call_cancelled");
	assert.equal(faultOf(late).code, "call_cancelled");
	await house.clock.advance(100);
	assert.equal(house.hosting.status("a")?.instances[0]?.leases, 0);
});

test("an unknown server is refused by name", async () => {
	const house = fakeHouse();
	const call = acquire(house, "nobody");
	await settle();
	assert.equal(faultOf(call).code, "server_unknown");
	assert.match(faultOf(call).message, /"nobody"/);
	assert.equal(house.hosting.status("nobody"), undefined);
	assert.deepEqual(house.hosting.lines("nobody"), []);
	await house.hosting.settled("nobody", { wait_ms: 1000 });
	await house.hosting.restart("nobody");
});

test("a restart replaces a running instance and resolves when the new one is ready", async () => {
	const house = fakeHouse();
	house.hosting.apply([serverPlan("a", eager)]);
	await house.clock.advance(100);
	let restarted = false;
	void house.hosting.restart("a").then(() => {
		restarted = true;
	});
	await house.clock.advance(99);
	assert.equal(restarted, false);
	await house.clock.advance(1);
	assert.equal(restarted, true);
	assert.deepEqual(
		house.driver.upstreams.map(({ state }) => state),
		["closed", "open"],
	);
	assert.equal(house.hosting.status("a")?.restarts, 0);
});

test("a changed server takes new calls on the new instance, old calls finish on the old", async () => {
	const house = fakeHouse();
	house.hosting.apply([serverPlan("a"), serverPlan("same")]);
	const before = acquire(house, "a");
	const same = acquire(house, "same");
	await house.clock.advance(100);
	const old = leaseOf(before);
	house.hosting.apply([serverPlan("a", {}, 2), serverPlan("same")]);
	assert.deepEqual(house.retired, [{ key: baseKey("a"), upstream: old.upstream }]);
	const after = acquire(house, "a");
	await house.clock.advance(100);
	const fresh = leaseOf(after);
	assert.notEqual(fresh.upstream, old.upstream);
	const upstreams = house.driver.upstreams;
	assert.deepEqual(
		upstreams.map(({ spec }) => [spec.command, spec.args[0]]),
		[
			["a", "1"],
			["same", "1"],
			["a", "2"],
		],
	);
	assert.equal(upstreams[0]?.state, "open");
	old.release();
	await settle();
	await house.clock.advance(0);
	assert.equal(upstreams[0]?.state, "closed");
	assert.equal(leaseOf(same).upstream, upstreams[1]);
	assert.equal(upstreams[1]?.state, "open");
});

test("a call that does not finish is cut off at the drain deadline", async () => {
	const house = fakeHouse();
	house.hosting.apply([serverPlan("a")]);
	const call = acquire(house, "a");
	await house.clock.advance(100);
	const lease = leaseOf(call);
	house.hosting.apply([]);
	await house.clock.advance(drain_ms_max - 1);
	assert.equal(house.driver.upstreams[0]?.state, "open");
	await house.clock.advance(1);
	assert.equal(house.driver.upstreams[0]?.state, "closed");
	lease.release();
});

test("a start that is no longer wanted is ended before the next one begins", async () => {
	const house = fakeHouse((_server, start) =>
		start === 1 ? { after_ms: "hang", close_ms: 700 } : good_start,
	);
	house.hosting.apply([serverPlan("a", eager)]);
	const call = acquire(house, "a");
	await house.clock.advance(50);
	house.hosting.apply([serverPlan("a", eager, 2)]);
	await house.clock.advance(699);
	assert.equal(house.driver.starts.get("a"), 1);
	await house.clock.advance(101);
	assert.equal(house.driver.starts_at_once_max, 1);
	assert.equal(leaseOf(call).upstream, house.driver.upstreams[0]);
	assert.equal(house.driver.upstreams[0]?.spec.args[0], "2");
});

test("a removed server answers those who wait and is no longer known", async () => {
	const house = fakeHouse();
	house.hosting.apply([serverPlan("a"), serverPlan("b")]);
	const call = acquire(house, "a");
	await settle();
	house.hosting.apply([serverPlan("b")]);
	await settle();
	assert.equal(faultOf(call).code, "server_unknown");
	assert.deepEqual(
		house.hosting.statuses().map(({ name }) => name),
		["b"],
	);
	await house.clock.advance(1_000);
	assert.equal(house.driver.live_upstreams.length, 0);
	assert.deepEqual(house.hosting.lines("a"), []);
});

test("a server that comes back while it drains starts beside what is left of it", async () => {
	const house = fakeHouse();
	house.hosting.apply([serverPlan("a")]);
	const before = acquire(house, "a");
	await house.clock.advance(100);
	house.hosting.apply([]);
	house.hosting.apply([serverPlan("a")]);
	const after = acquire(house, "a");
	await house.clock.advance(100);
	assert.notEqual(leaseOf(before).upstream, leaseOf(after).upstream);
	leaseOf(before).release();
	await house.clock.advance(100);
	assert.equal(stateOf(house, "a"), "ready");
	assert.equal(house.driver.open_upstreams.length, 1);
});

test("one broken and one slow server do not delay a healthy one", async () => {
	const house = fakeHouse((server) => {
		if (server === "good") return good_start;
		return server === "slow" ? { after_ms: "hang" } : { after_ms: 0, fault: "server_exited" };
	});
	const others = ["slow", "b1", "b2", "b3", "b4", "b5"];
	house.hosting.apply([...others, "good"].map((name) => serverPlan(name, eager)));
	await house.clock.advance(0);
	for (let second = 0; second < 100; second++) {
		const call = acquire(house, "good");
		await house.clock.advance(1_000);
		assert.ok((call.answered_at_ms ?? Number.POSITIVE_INFINITY) <= second * 1000 + 100);
		leaseOf(call).release();
	}
});

test("callers with other keys have instances of their own", async () => {
	const house = fakeHouse();
	house.hosting.apply([serverPlan("a")]);
	const ada = { server: "a", scope_key: "ada", capabilities: "{}" };
	const roots = { server: "a", scope_key: "ada", capabilities: '{"roots":{}}' };
	const calls = [ada, roots, ada].map((key) => acquire(house, "a", { key }));
	await house.clock.advance(100);
	const upstreams = calls.map((call) => leaseOf(call).upstream);
	assert.equal(new Set(upstreams).size, 2);
	assert.equal(upstreams[0], upstreams[2]);
	assert.deepEqual(
		house.driver.upstreams.map(({ capabilities }) => capabilities),
		["{}", '{"roots":{}}'],
	);
	for (const call of calls) leaseOf(call).release();
	house.hosting.dismiss(ada);
	await house.clock.advance(0);
	assert.equal(house.driver.open_upstreams.length, 1);
	assert.equal(house.hosting.status("a")?.instances.length, 1);
});

test("beyond the limit the longest unused instance makes room; used ones are never ended", async () => {
	const house = fakeHouse();
	house.hosting.apply([serverPlan("a")]);
	const keyOf = (user: number) => ({ server: "a", scope_key: `u${user}`, capabilities: "{}" });
	const calls = [];
	for (let user = 0; user < default_instances.instances_max; user++) {
		calls.push(acquire(house, "a", { key: keyOf(user) }));
		await house.clock.advance(5);
	}
	await house.clock.advance(60_000);
	const refused = acquire(house, "a", { key: keyOf(1000) });
	await settle();
	assert.equal(faultOf(refused).code, "overloaded");
	leaseOf(calls[7] as Attempt).release();
	leaseOf(calls[3] as Attempt).release();
	const welcome = acquire(house, "a", { key: keyOf(1001) });
	await house.clock.advance(1_000);
	leaseOf(welcome);
	assert.equal(house.driver.upstreams[3]?.state, "closed");
	assert.equal(house.driver.upstreams[7]?.state, "open");
	assert.equal(house.driver.open_upstreams.length, default_instances.instances_max);
	await end(house);
});

test("settled waits for a server on its way, and for no other", async () => {
	const house = fakeHouse((server) =>
		server === "good" ? { after_ms: 3_000 } : { after_ms: "hang" },
	);
	house.hosting.apply([
		serverPlan("good", eager),
		serverPlan("hangs", eager),
		serverPlan("asleep"),
	]);
	const settled = new Map<string, number>();
	for (const name of ["good", "hangs", "asleep"]) {
		void house.hosting
			.settled(name, { wait_ms: 5_000 })
			.then(() => settled.set(name, house.clock.monotonic()));
	}
	const abort = new AbortController();
	void house.hosting
		.settled("hangs", { wait_ms: 5_000, signal: abort.signal })
		.then(() => settled.set("aborted", house.clock.monotonic()));
	await house.clock.advance(1_000);
	abort.abort();
	await house.clock.advance(9_000);
	assert.deepEqual(Object.fromEntries(settled), {
		asleep: 0,
		aborted: 1_000,
		good: 3_000,
		hangs: 5_000,
	});
});

test("every change of state leaves a line and an event", async () => {
	const house = fakeHouse((_server, start) =>
		start === 1 ? { after_ms: 10, lives_ms: 10 } : good_start,
	);
	const heard: string[] = [];
	house.hosting.apply([serverPlan("a", eager)]);
	const unfollow = house.hosting.follow("a", ({ text }) => {
		heard.push(text);
		throw new Error("a follower that fails disturbs nobody");
	});
	await house.clock.advance(2_000);
	unfollow();
	house.hosting.note("a", "tools/list has 3 tools");
	const lines = house.hosting.lines("a").map(({ source, instance, text }) => {
		return `${source} ${instance} ${text.replace(/\d\.\d s/, "N s")}`;
	});
	assert.deepEqual(lines, [
		"event 0 configured",
		"event 0 resolving",
		"event 0 prepared",
		"event 1 starting",
		"event 1 ready, speaking 2025-11-25",
		'event 1 The server "a" exited with code 1. Next try in N s.',
		"event 1 stopped",
		"event 2 starting",
		"event 2 ready, speaking 2025-11-25",
		"event 0 tools/list has 3 tools",
	]);
	assert.equal(heard.length, 7);
	const states = house.statuses.map(({ state }) => state);
	assert.deepEqual(
		states.filter((state, index) => state !== states[index - 1]),
		["resolving", "stopped", "starting", "ready", "stopped", "starting", "ready"],
	);
});

test("stop ends everything within its time and gives no lease any more", async () => {
	const house = fakeHouse((server) => {
		if (server === "hangs") return { after_ms: "hang", close_ms: 1_500 };
		return server === "stubborn" ? { after_ms: 10, close_ms: 9_999_999 } : good_start;
	});
	const names = ["good", "hangs", "stubborn", "idle"];
	house.hosting.apply([...names.map((name) => serverPlan(name, eager)), serverPlan("asleep")]);
	const held = acquire(house, "good");
	const waiting = acquire(house, "hangs");
	await house.clock.advance(1_000);
	const lease = leaseOf(held);
	let stopped_at_ms: number | undefined;
	const stopping = house.hosting.stop().then(() => {
		stopped_at_ms = house.clock.monotonic();
	});
	await settle();
	assert.equal(faultOf(waiting).code, "gateway_stopping");
	assert.equal(house.hosting.tryAcquire(baseKey("good")), undefined);
	const refused = acquire(house, "good");
	await house.clock.advance(drain_at_stop_ms - 1);
	assert.equal(faultOf(refused).code, "gateway_stopping");
	assert.equal(house.driver.upstreams.find(({ server }) => server === "good")?.state, "open");
	await house.clock.advance(10_000);
	await stopping;
	// Twice the stop time and the driver's grace, for the one that never closes.
	assert.ok((stopped_at_ms ?? 0) <= 1_000 + drain_at_stop_ms + 2 * 1_000 + 2_000);
	assert.deepEqual(
		house.driver.live_upstreams.map(({ server }) => server),
		["stubborn"],
	);
	assert.ok(house.log.lines.some(({ message }) => /did not close in time/.test(message)));
	assert.equal(house.driver.starting.get("hangs {}"), 0);
	assert.deepEqual(house.hosting.statuses(), []);
	lease.release();
	house.hosting.apply([serverPlan("late", eager)]);
	await house.clock.advance(1_000);
	assert.equal(house.driver.starts.get("late"), undefined);
	await house.hosting.stop();
});

test("a driver that neither starts nor gives up is given up itself", async () => {
	const house = fakeHouse((_server, start) =>
		start === 1 ? { after_ms: 40_000, deaf: true } : good_start,
	);
	house.hosting.apply([serverPlan("a", eager)]);
	await house.clock.advance(20_000);
	assert.equal(stateOf(house, "a"), "ready");
	await house.clock.advance(30_000);
	assert.deepEqual(
		house.driver.upstreams.map(({ state }) => state),
		["open", "closed"],
	);
});

test("handlers may call back into hosting, and may fail", async () => {
	const house: FakeHouse = fakeHouse(undefined, {
		events: {
			onReady: (key) => {
				house.hosting.tryAcquire(key)?.release();
				house.hosting.apply([serverPlan("b", eager)]);
				throw new Error("a handler that fails");
			},
			onPush: () => {},
			onRequest: () => {},
			onState: ({ name, state }) => {
				if (name === "b" && state === "starting") house.hosting.apply([]);
			},
		},
	});
	house.hosting.apply([serverPlan("a", eager)]);
	await house.clock.advance(10_000);
	assert.deepEqual(house.hosting.statuses(), []);
	assert.equal(house.driver.live_upstreams.length, 0);
	assert.ok(house.log.lines.some(({ level }) => level === "error"));
});
