import assert from "node:assert/strict";
import { test } from "node:test";
import { settle } from "../../test/support/fake-clock.ts";
import {
	acquire,
	end,
	fakeHouse,
	faultOf,
	good_start,
	leaseOf,
	serverPlan,
	stateOf,
} from "../../test/support/fake-house.ts";
import { fail, succeed } from "../lib/result.ts";
import { makeFault } from "../protocol/fault.ts";
import { asWritten } from "./resolved.ts";

const eager = { start: "eager" } as const;

test("a server that crashes is started again after a pause that grows", async () => {
	const house = fakeHouse(() => ({ after_ms: 0, lives_ms: 10 }));
	house.hosting.apply([serverPlan("a", eager)]);
	const starts: number[] = [];
	for (let elapsed_ms = 0; elapsed_ms < 10_000; elapsed_ms += 10) {
		const before = house.driver.starts.get("a") ?? 0;
		await house.clock.advance(10);
		if ((house.driver.starts.get("a") ?? 0) > before) starts.push(house.clock.monotonic());
	}
	const pauses = starts.slice(1).map((at_ms, index) => at_ms - (starts[index] ?? 0));
	assert.equal(starts.length, 5);
	for (const [index, pause] of pauses.entries()) {
		const plain = 500 * 2 ** index;
		assert.ok(pause >= plain && pause <= plain * 1.2 + 20, `${index}: ${pause}`);
	}
	assert.equal(stateOf(house, "a"), "failed");
});

test("a crash loop is answered at once with the reason, and tried again after a minute", async () => {
	let healthy = false;
	const house = fakeHouse(() => (healthy ? good_start : { after_ms: 0, lives_ms: 10 }));
	house.hosting.apply([serverPlan("a", eager)]);
	await house.clock.advance(20_000);
	const status = house.hosting.status("a");
	assert.equal(status?.state, "failed");
	assert.equal(status?.code, "server_failed");
	assert.equal(status?.reason, 'The server "a" exited with code 1.');
	assert.equal(status?.restarts, 4);
	const next_try_at_ms = status?.next_try_at_ms ?? 0;
	assert.ok(next_try_at_ms > house.clock.now());
	const call = acquire(house, "a");
	await settle();
	const fault = faultOf(call);
	assert.equal(fault.code, "server_failed");
	assert.match(fault.message, /exited with code 1\. It is tried again in about \d+ s/);
	assert.match(fault.message, /`moorage logs a`/);
	healthy = true;
	await house.clock.advance(next_try_at_ms - house.clock.now() - 1);
	assert.equal(stateOf(house, "a"), "failed");
	await house.clock.advance(200);
	assert.equal(stateOf(house, "a"), "ready");
	assert.equal(house.hosting.status("a")?.reason, undefined);
	const served = acquire(house, "a");
	await settle();
	leaseOf(served);
});

test("who waits in vain for a server that fails at every start is told of what it failed", async () => {
	const house = fakeHouse((_server, start) =>
		start <= 2 ? { after_ms: 0, fault: "server_exited" } : { after_ms: "hang" },
	);
	house.hosting.apply([serverPlan("a", eager)]);
	const first = acquire(house, "a", { wait_ms: 5_000 });
	await house.clock.advance(5_000);
	const fault = faultOf(first);
	assert.equal(fault.code, "server_starting");
	const { reason } = house.hosting.status("a") ?? {};
	assert.ok(reason !== undefined && fault.message.includes(`The last try failed: ${reason} Try`));
	assert.match(fault.message, /still starting after 5000 ms\. The last try failed: \S/);
});

test("what went wrong last is known also when the server runs again", async () => {
	const house = fakeHouse((_server, start) =>
		start === 1 ? { after_ms: 0, lives_ms: 10 } : good_start,
	);
	house.hosting.apply([serverPlan("a", eager)]);
	await house.clock.advance(5_000);
	const status = house.hosting.status("a");
	assert.equal(status?.state, "ready");
	assert.equal(status.reason, undefined);
	assert.equal(status.last_failure?.reason, 'The server "a" exited with code 1.');
	assert.equal(status.last_failure.exit_code, 1);
	assert.ok(status.last_failure.at_ms > house.clock.now() - 5_000);
});

test("while a failed server is tried again, callers are still not made to wait", async () => {
	const house = fakeHouse((_server, start) =>
		start <= 5 ? { after_ms: 0, fault: "server_exited" } : { after_ms: "hang" },
	);
	house.hosting.apply([serverPlan("a", eager)]);
	await house.clock.advance(100_000);
	for (;;) {
		if (stateOf(house, "a") === "starting") break;
		await house.clock.advance(1_000);
	}
	const call = acquire(house, "a");
	await settle();
	assert.equal(faultOf(call).code, "server_failed");
	assert.match(faultOf(call).message, /being tried again/);
});

test("a server that was ready for a stable minute starts over with short pauses", async () => {
	const house = fakeHouse((_server, start) => ({
		after_ms: 0,
		lives_ms: start === 4 ? 60_000 : 10,
	}));
	house.hosting.apply([serverPlan("a", eager)]);
	await house.clock.advance(10_000);
	assert.equal(stateOf(house, "a"), "ready");
	await house.clock.advance(60_000 - 100);
	const starts = house.driver.starts.get("a") ?? 0;
	await house.clock.advance(1_000);
	assert.ok((house.driver.starts.get("a") ?? 0) >= starts);
	assert.notEqual(stateOf(house, "a"), "failed");
});

test("a call waits through a pause that fits its time, and not through one that does not", async () => {
	const house = fakeHouse((_server, start) =>
		start === 1 ? { after_ms: 0, fault: "server_exited" } : good_start,
	);
	house.hosting.apply([serverPlan("a")]);
	const patient = acquire(house, "a", { wait_ms: 2_000 });
	const hurried = acquire(house, "a", { wait_ms: 200 });
	await settle();
	await house.clock.advance(1);
	assert.equal(faultOf(hurried).code, "server_failed");
	assert.equal(patient.outcome, undefined);
	const late = acquire(house, "a", { wait_ms: 100 });
	await settle();
	assert.equal(faultOf(late).code, "server_failed");
	await house.clock.advance(1_000);
	leaseOf(patient);
});

test("a missing program fails at once, says so, and is looked for again every minute", async () => {
	let installed = false;
	let looked = 0;
	const house = fakeHouse(() => ({ after_ms: 0, ...(installed ? {} : missing) }), {
		resolve: async (spec) => {
			looked += 1;
			return succeed(asWritten(spec));
		},
	});
	const missing = { fault: "command_missing" } as const;
	house.hosting.apply([serverPlan("a")]);
	const call = acquire(house, "a");
	await house.clock.advance(10);
	assert.equal(faultOf(call).code, "command_missing");
	assert.doesNotMatch(faultOf(call).message, /secret/);
	assert.equal(house.hosting.status("a")?.code, "command_missing");
	assert.equal(looked, 2);
	installed = true;
	await house.clock.advance(75_000);
	assert.equal(stateOf(house, "a"), "ready");
});

test("a package that cannot be installed fails the server and is tried again later", async () => {
	let network = false;
	const house = fakeHouse(undefined, {
		resolve: async (spec, context) => {
			context.progress("installing a@1.2.3");
			if (network) return succeed(asWritten(spec));
			const random = { bytes: (count: number) => Buffer.alloc(count) };
			return fail(
				makeFault(random, {
					code: "install_failed",
					message: "The package a@1.2.3 could not be installed: no network",
					level: "warn",
					retry_safe: true,
				}),
			);
		},
	});
	house.hosting.apply([serverPlan("a", eager), serverPlan("b")]);
	await house.clock.advance(10);
	for (const name of ["a", "b"]) {
		assert.equal(stateOf(house, name), "failed");
		const call = acquire(house, name);
		await settle();
		assert.equal(faultOf(call).code, "install_failed");
		assert.match(faultOf(call).message, /no network\. It is tried again/);
	}
	assert.ok(house.hosting.lines("a").some(({ text }) => text === "installing a@1.2.3"));
	network = true;
	await house.clock.advance(75_000);
	assert.equal(stateOf(house, "a"), "ready");
	assert.equal(stateOf(house, "b"), "stopped");
});

test("a call that waits for an install is answered when the install fails", async () => {
	const installed = Promise.withResolvers<never>();
	const house = fakeHouse(undefined, { resolve: () => installed.promise });
	house.hosting.apply([serverPlan("a")]);
	const call = acquire(house, "a");
	await house.clock.advance(5_000);
	assert.equal(call.outcome, undefined);
	installed.reject(new Error("boom"));
	await settle();
	assert.equal(faultOf(call).code, "internal");
	assert.doesNotMatch(faultOf(call).message, /boom/);
});

test("an install that never ends fails after ten minutes", async () => {
	const house = fakeHouse(undefined, { resolve: () => new Promise(() => {}) });
	house.hosting.apply([serverPlan("a", eager)]);
	await house.clock.advance(9 * 60_000);
	assert.equal(stateOf(house, "a"), "resolving");
	await house.clock.advance(60_000);
	assert.equal(house.hosting.status("a")?.code, "install_failed");
	await end(house);
});

test("a failed server starts at once when it is asked to, or configured in another way", async () => {
	let healthy = false;
	const house = fakeHouse(() => (healthy ? good_start : { after_ms: 0, fault: "server_exited" }));
	house.hosting.apply([serverPlan("a", eager), serverPlan("b", eager)]);
	await house.clock.advance(20_000);
	assert.equal(stateOf(house, "a"), "failed");
	healthy = true;
	const restarted = house.hosting.restart("a");
	house.hosting.apply([serverPlan("a", eager), serverPlan("b", eager, 2)]);
	await house.clock.advance(100);
	await restarted;
	assert.equal(stateOf(house, "a"), "ready");
	assert.equal(stateOf(house, "b"), "ready");
});

test("what needs a person is not tried again and again, and at once when they have agreed", async () => {
	let agreed = false;
	const needs_person = { after_ms: 0, fault: "authorization_required" } as const;
	const house = fakeHouse(() => (agreed ? good_start : needs_person));
	house.hosting.apply([serverPlan("a", eager)]);
	await house.clock.advance(30_000);
	assert.equal(house.driver.starts.get("a"), 1);
	const call = acquire(house, "a");
	await settle();
	assert.equal(faultOf(call).code, "authorization_required");
	agreed = true;
	house.hosting.agreed("a");
	await house.clock.advance(1_000);
	assert.equal(stateOf(house, "a"), "ready");
	assert.equal(house.driver.starts.get("a"), 2);
});
