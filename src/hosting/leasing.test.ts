import assert from "node:assert/strict";
import { test } from "node:test";
import { settle } from "../../test/support/fake-clock.ts";
import type { FakeUpstream } from "../../test/support/fake-driver.ts";
import {
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
import type { InstancesPlan, ServerPlan } from "../config/plan.ts";
import type { AcquireOptions, Lease } from "./hosting.ts";
import { baseKey, type InstanceKey } from "./instance-key.ts";
import { spare_kept_ms } from "./planner.ts";

const usual = serverPlan("a").instances;

function planWith(instances: Partial<InstancesPlan>, change: Partial<ServerPlan> = {}): ServerPlan {
	return serverPlan("a", { instances: { ...usual, ...instances }, ...change });
}

/** Lets everybody take a lease and give it back after `work_ms`; tells the order of the ends. */
function workers(house: FakeHouse, work_ms: number) {
	const ended: string[] = [];
	let at_once = 0;
	let at_once_max = 0;
	const come = (caller: string, key = baseKey("a")) => {
		const options = { signal: new AbortController().signal, wait_ms: 30_000, caller };
		void house.hosting.acquire(key, options).then((outcome) => {
			if (!outcome.ok) {
				ended.push(`${caller} ${outcome.problem.code}`);
				return;
			}
			at_once += 1;
			at_once_max = Math.max(at_once_max, at_once);
			house.clock.after(work_ms, () => {
				at_once -= 1;
				ended.push(caller);
				outcome.value.release();
			});
		});
	};
	return { ended, come, most: () => at_once_max };
}

test("what only holds an instance need not wait for those who wait for its calls", async () => {
	const house = fakeHouse();
	house.hosting.apply([planWith({ concurrency_max: 1 }, { start: "eager" })]);
	await house.clock.advance(100);
	const { come } = workers(house, 1_000);
	for (const caller of ["ann", "bob", "eve"]) come(caller);
	await settle();
	assert.equal(house.hosting.tryAcquire(baseKey("a")), undefined);
	const held = house.hosting.tryAcquire(baseKey("a"), { kind: "hold" });
	assert.ok(held !== undefined);
	held.release();
});

test("200 calls at a sleeping server that works on one at a time are all answered", async () => {
	const house = fakeHouse();
	house.hosting.apply([planWith({ concurrency_max: 1, queue_calls_max: 256 })]);
	const { come, ended, most } = workers(house, 10);
	for (let at = 0; at < 200; at++) come(`caller ${at % 7}`);
	await house.clock.advance(100 + 200 * 10);
	assert.equal(ended.length, 200);
	assert.ok(ended.every((who) => /^caller \d$/.test(who)));
	assert.equal(most(), 1);
	assert.equal(house.driver.starts.get("a"), 1);
	await end(house);
});

test("a busy caller does not keep others waiting", async () => {
	const house = fakeHouse();
	house.hosting.apply([planWith({ concurrency_max: 2, queue_calls_max: 256 })]);
	const { come, ended } = workers(house, 10);
	for (let at = 0; at < 100; at++) come("hot");
	await house.clock.advance(105);
	come("calm");
	await house.clock.advance(20);
	assert.ok(ended.includes("calm"), String(ended));
	await house.clock.advance(1_000);
	assert.equal(ended.length, 101);
});

test("one more than may wait is refused with when to try again", async () => {
	const house = fakeHouse();
	house.hosting.apply([planWith({ concurrency_max: 1, queue_calls_max: 2 })]);
	const first = acquire(house, "a");
	await house.clock.advance(100);
	const waiting = [acquire(house, "a"), acquire(house, "a")];
	const refused = acquire(house, "a");
	await settle();
	const fault = faultOf(refused);
	assert.equal(fault.code, "queue_full");
	assert.ok(fault.retry_safe && (fault.retry_after_ms ?? 0) > 0);
	assert.match(fault.message, /The server "a" has 2 calls waiting/);
	assert.equal(house.hosting.status("a")?.instances[0]?.waiting, 2);
	for (const next of [first, ...waiting]) {
		leaseOf(next).release();
		await settle();
	}
});

test("a call whose turn does not come in time is told how long it waited", async () => {
	const house = fakeHouse();
	house.hosting.apply([planWith({ concurrency_max: 1, queue_wait_ms: 700 })]);
	const first = acquire(house, "a");
	await house.clock.advance(100);
	const late = acquire(house, "a");
	await house.clock.advance(699);
	assert.equal(late.outcome, undefined);
	await house.clock.advance(1);
	assert.match(faultOf(late).message, /waited 700 ms for its turn/);
	leaseOf(first).release();
	assert.ok(house.hosting.tryAcquire(baseKey("a")) !== undefined);
});

test("nobody is let in past those who wait, and who is gone is not waited for", async () => {
	const house = fakeHouse();
	house.hosting.apply([planWith({ concurrency_max: 1 })]);
	const first = acquire(house, "a");
	await house.clock.advance(100);
	const abort = new AbortController();
	const gone = acquire(house, "a", { signal: abort.signal });
	const next = acquire(house, "a");
	await settle();
	abort.abort();
	leaseOf(first).release();
	assert.equal(house.hosting.tryAcquire(baseKey("a")), undefined);
	await settle();
	assert.equal(faultOf(gone).code, "call_cancelled");
	leaseOf(next).release();
	assert.ok(house.hosting.tryAcquire(baseKey("a")) !== undefined);
});

test("what is held for long takes no place from a call", async () => {
	const house = fakeHouse();
	house.hosting.apply([planWith({ concurrency_max: 1 })]);
	const call = acquire(house, "a");
	await house.clock.advance(100);
	const held = house.hosting.tryAcquire(baseKey("a"), { kind: "hold" });
	assert.ok(held !== undefined);
	leaseOf(call).release();
	assert.ok(house.hosting.tryAcquire(baseKey("a")) !== undefined);
	assert.equal(house.hosting.status("a")?.instances[0]?.leases, 2);
});

test("who waits for an instance that crashes is served by the next one", async () => {
	const house = fakeHouse();
	house.hosting.apply([planWith({ concurrency_max: 1 })]);
	const first = acquire(house, "a");
	await house.clock.advance(100);
	const next = acquire(house, "a");
	await settle();
	const old = leaseOf(first).upstream as FakeUpstream;
	old.crash();
	leaseOf(first).release();
	await house.clock.advance(1_000);
	assert.notEqual(leaseOf(next).upstream, old);
	await end(house);
});

/** The instance that a caller is given, at once or after a start. */
async function upstreamFor(
	house: FakeHouse,
	options: Partial<AcquireOptions>,
	key: InstanceKey = baseKey("a"),
): Promise<Lease> {
	const complete = { signal: new AbortController().signal, wait_ms: 5_000, ...options };
	const outcome = house.hosting.acquire(key, complete);
	await house.clock.advance(200);
	const result = await outcome;
	assert.ok(result.ok, JSON.stringify(result));
	return result.value;
}

test("callers stick to their replicas, and those of a dead one move until it is back", async () => {
	let fails = 0;
	const house = fakeHouse(() =>
		fails-- > 0 ? { after_ms: 0, fault: "server_exited" } : good_start,
	);
	house.hosting.apply([planWith({ replicas: 3 })]);
	const callers = Array.from({ length: 12 }, (_, at) => `session:${at}`);
	const homes = new Map<string, FakeUpstream>();
	for (const caller of callers) {
		const lease = await upstreamFor(house, { caller });
		homes.set(caller, lease.upstream as FakeUpstream);
		lease.release();
	}
	assert.equal(new Set(homes.values()).size, 3);
	for (const caller of callers) {
		const lease = house.hosting.tryAcquire(baseKey("a"), { caller });
		assert.equal(lease?.upstream, homes.get(caller));
		lease?.release();
	}
	const [dead] = homes.values();
	fails = 2;
	dead?.crash();
	for (const caller of callers) {
		const lease = house.hosting.tryAcquire(baseKey("a"), { caller });
		const home = homes.get(caller);
		if (home === dead) assert.ok(lease !== undefined && lease.upstream !== dead);
		else assert.equal(lease?.upstream, home);
		lease?.release();
	}
	await house.clock.advance(30_000);
	const back = callers.filter((caller) => homes.get(caller) === dead);
	const again = back.map((caller) => {
		const lease = house.hosting.tryAcquire(baseKey("a"), { caller });
		lease?.release();
		return lease?.upstream;
	});
	assert.equal(new Set(again).size, 1);
	assert.ok(![...homes.values()].includes(again[0] as FakeUpstream));
	await end(house);
});

test("who need not stick is sent where least is to do", async () => {
	const house = fakeHouse();
	house.hosting.apply([planWith({ replicas: 2 })]);
	const leases = [];
	for (let at = 0; at < 4; at++) leases.push(await upstreamFor(house, {}));
	const upstreams = leases.map(({ upstream }) => upstream);
	assert.equal(new Set(upstreams).size, 2);
	assert.equal(upstreams[0], upstreams[2]);
	assert.equal(upstreams[1], upstreams[3]);
	await end(house);
});

const elicits: InstanceKey = {
	server: "a",
	scope_key: "",
	capabilities: '{"elicitation":{}}',
};

test("a server that asks gets an instance for each whom it may ask, up to its limit", async () => {
	const house = fakeHouse();
	house.hosting.apply([{ ...planWith({ instances_max: 3 }), scope: "user" }]);
	const ada = await upstreamFor(house, { asker: "ada" }, elicits);
	// As long as it has asked nothing, everybody shares.
	const early = await upstreamFor(house, { asker: "bob" }, elicits);
	assert.equal(early.upstream, ada.upstream);
	early.release();
	ada.noteQuestion();
	const ada_again = await upstreamFor(house, { asker: "ada" }, elicits);
	assert.equal(ada_again.upstream, ada.upstream);
	const [bob, eve, joe] = await Promise.all([
		upstreamFor(house, { asker: "bob" }, elicits),
		upstreamFor(house, { asker: "eve" }, elicits),
		upstreamFor(house, { asker: "joe" }, elicits),
	]);
	assert.equal(new Set([ada, bob, eve].map(({ upstream }) => upstream)).size, 3);
	// There may be no more: who comes last shares, and a question there is refused.
	assert.equal(joe.upstream, ada.upstream);
	for (const lease of [ada, ada_again, bob, eve, joe]) lease.release();
	await house.clock.advance(spare_kept_ms + 1_000);
	assert.equal(house.driver.open_upstreams.length, 1);
	assert.equal(stateOf(house, "a"), "ready");
	await end(house);
});

test("who shares a server shares what it remembers, also when it asks", async () => {
	const house = fakeHouse();
	house.hosting.apply([planWith({ instances_max: 3 })]);
	const ada = await upstreamFor(house, { asker: "ada" }, elicits);
	ada.noteQuestion();
	const bob = await upstreamFor(house, { asker: "bob" }, elicits);
	assert.equal(bob.upstream, ada.upstream);
	for (const lease of [ada, bob]) lease.release();
	await end(house);
});

test("over HTTP nothing can be mistaken, so nobody gets an instance of their own", async () => {
	const { driver } = fakeHouse();
	const spec = { driver: "http", url: "http://localhost/mcp", headers: {} } as const;
	const http = { kind: "http", open: driver.open.bind(driver) };
	const other = fakeHouse(undefined, { drivers: { http } });
	other.hosting.apply([{ ...planWith({}), scope: "user", spec }]);
	const ada = await upstreamFor(other, { asker: "ada" }, elicits);
	ada.noteQuestion();
	const bob = await upstreamFor(other, { asker: "bob" }, elicits);
	assert.equal(bob.upstream, ada.upstream);
});

test("what sleeps, is stopped or only starts is told from what is awake or has failed", async () => {
	const house = fakeHouse((server) =>
		server === "a" ? { after_ms: 100, sleep: {} } : { after_ms: 100, fault: "server_exited" },
	);
	const idle = { ...serverPlan("a").idle, keep: "on-demand", freeze_ms: 1_000 } as const;
	const start = "on-demand" as const;
	house.hosting.apply([serverPlan("a", { start, idle }), serverPlan("broken", { start })]);
	const sleeps = (server: string) => house.hosting.sleeps(baseKey(server));
	assert.equal(sleeps("a"), true);
	assert.equal(sleeps("nobody"), false);
	const call = acquire(house, "a");
	await house.clock.advance(50);
	assert.equal(sleeps("a"), true, "it is not awake yet");
	await house.clock.advance(50);
	assert.equal(sleeps("a"), false);
	leaseOf(call).release();
	await house.clock.advance(1_000);
	assert.equal(stateOf(house, "a"), "frozen");
	assert.equal(sleeps("a"), true);
	assert.equal(stateOf(house, "a"), "frozen", "asking wakes nobody");
	assert.equal(sleeps("broken"), true);
	acquire(house, "broken");
	await house.clock.advance(100);
	assert.equal(sleeps("broken"), false, "who asks it is told why it does not run");
	await end(house);
	assert.equal(sleeps("a"), false);
});

test("50 servers that are called at once do not time each other out", async () => {
	const slow = { after_ms: 900 };
	const names = Array.from({ length: 50 }, (_, at) => `s${at}`);
	const house = fakeHouse(() => slow);
	const timeouts = { ...serverPlan("a").timeouts, start_ms: 1_000 };
	house.hosting.apply(names.map((name) => serverPlan(name, { timeouts })));
	const outcomes: string[] = [];
	for (const name of names) {
		const options = { signal: new AbortController().signal, wait_ms: 1_000 };
		void house.hosting.acquire(baseKey(name), options).then((outcome) => {
			outcomes.push(outcome.ok ? "served" : outcome.problem.code);
			if (outcome.ok) outcome.value.release();
		});
	}
	await house.clock.advance(50_000);
	assert.deepEqual(new Set(outcomes), new Set(["served"]));
	assert.equal(outcomes.length, 50);
	await end(house);
});
