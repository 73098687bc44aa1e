import assert from "node:assert/strict";
import { test } from "node:test";
import { FakeClock, settle } from "../../test/support/fake-clock.ts";
import type { FakeUpstream } from "../../test/support/fake-driver.ts";
import {
	type Attempt,
	acquire,
	end,
	fakeHouse,
	faultOf,
	leaseOf,
	serverPlan,
	stateOf,
} from "../../test/support/fake-house.ts";
import type { InstancesPlan, ServerPlan } from "../config/plan.ts";
import { counted } from "../lib/counted.ts";
import { redacted, SecretRedactor } from "../secrets/redactor.ts";
import { type Pass, StartAdmission } from "./admission.ts";
import { baseKey } from "./instance-key.ts";
import { LineRing } from "./lines.ts";
import { answer_ms_max } from "./pulse.ts";

/** What a server's block may say of its instances, at its bound, one below and one above. */

function house(instances: Partial<InstancesPlan>, change: Partial<ServerPlan> = {}) {
	const made = fakeHouse();
	const plan = serverPlan("a");
	made.hosting.apply([{ ...plan, instances: { ...plan.instances, ...instances }, ...change }]);
	return made;
}

const keyOf = (user: number) => ({ server: "a", scope_key: `u${user}`, capabilities: "{}" });
const is_served = ({ outcome }: Attempt) => outcome?.ok === true;
const is_refused = ({ outcome }: Attempt) => outcome?.ok === false;

for (const queue_calls_max of [1, 2, 256]) {
	test(`a queue of ${queue_calls_max} holds so many calls, refuses one more, and loses none`, async () => {
		const made = house({ concurrency_max: 1, queue_calls_max });
		const first = acquire(made, "a");
		await made.clock.advance(100);
		const waiting: Attempt[] = [];
		for (let at = 0; at < queue_calls_max; at += 1) {
			waiting.push(acquire(made, "a"));
			await settle();
			assert.equal(made.hosting.status("a")?.instances[0]?.waiting, at + 1);
		}
		assert.ok(!waiting.some(is_refused));
		const surplus = acquire(made, "a");
		await settle();
		const fault = faultOf(surplus);
		assert.equal(fault.code, "queue_full");
		assert.ok(fault.retry_safe && (fault.retry_after_ms ?? 0) > 0);
		assert.match(
			fault.message,
			new RegExp(`has ${counted(queue_calls_max, "call")} waiting.*Try again`),
		);
		// One that is answered makes room for one.
		leaseOf(first).release();
		await settle();
		assert.equal(waiting.filter(is_served).length, 1);
		waiting.push(acquire(made, "a"));
		await settle();
		for (const next of waiting) {
			leaseOf(next).release();
			await settle();
		}
		assert.equal(made.driver.starts.get("a"), 1);
		await end(made);
	});

	for (const concurrency_max of [1, 100]) {
		const bound = queue_calls_max + concurrency_max;
		test(`${bound} calls may wait for a start that serves ${concurrency_max} of them, and no more`, async () => {
			const made = house({ concurrency_max, queue_calls_max });
			const waiting = Array.from({ length: bound }, () => acquire(made, "a"));
			await settle();
			assert.ok(!waiting.some(is_refused));
			const surplus = acquire(made, "a");
			await settle();
			assert.equal(faultOf(surplus).code, "queue_full");
			await made.clock.advance(100);
			assert.equal(waiting.filter(is_served).length, concurrency_max);
			const late = acquire(made, "a");
			await settle();
			assert.equal(faultOf(late).code, "queue_full", "so many wait for their turn as may");
			for (const next of waiting) {
				leaseOf(next).release();
				await settle();
			}
			assert.equal(made.driver.starts.get("a"), 1);
			await end(made);
		});
	}
}

for (const queue_wait_ms of [1, 700, 24 * 3_600_000]) {
	test(`a call waits ${queue_wait_ms} ms for its turn where that is the bound, and no longer`, async () => {
		const made = house({ concurrency_max: 1, queue_wait_ms });
		const first = acquire(made, "a");
		await made.clock.advance(100);
		const late = acquire(made, "a");
		await made.clock.advance(queue_wait_ms - 1);
		assert.equal(late.outcome, undefined);
		await made.clock.advance(1);
		const fault = faultOf(late);
		assert.equal(fault.code, "queue_full");
		assert.match(fault.message, new RegExp(`waited ${queue_wait_ms} ms for its turn.*Try again`));
		const next = acquire(made, "a");
		await made.clock.advance(queue_wait_ms - 1);
		leaseOf(first).release();
		await settle();
		leaseOf(next).release();
		await end(made);
	});
}

for (const concurrency_max of [1, 2, 5]) {
	test(`an instance works on ${concurrency_max} calls where that is the bound, others wait`, async () => {
		const made = house({ concurrency_max, queue_calls_max: 8 });
		const calls = Array.from({ length: concurrency_max + 2 }, () => acquire(made, "a"));
		await made.clock.advance(100);
		assert.equal(calls.filter(is_served).length, concurrency_max);
		assert.equal(made.hosting.status("a")?.instances[0]?.waiting, 2);
		for (const [at, call] of calls.entries()) {
			leaseOf(call).release();
			await settle();
			const served = Math.min(concurrency_max + at + 1, calls.length);
			assert.equal(calls.filter(is_served).length, served);
		}
		await end(made);
	});
}

for (const instances_max of [1, 2, 5]) {
	test(`there are ${instances_max} instances where that is the bound, and one more is refused`, async () => {
		const made = house({ instances_max }, { scope: "user" });
		const calls = Array.from({ length: instances_max }, (_, at) =>
			acquire(made, "a", { key: keyOf(at) }),
		);
		await made.clock.advance(1_000);
		assert.equal(made.driver.open_upstreams.length, instances_max);
		const surplus = acquire(made, "a", { key: keyOf(100) });
		await settle();
		const fault = faultOf(surplus);
		assert.equal(fault.code, "overloaded");
		assert.ok(fault.retry_safe && (fault.retry_after_ms ?? 0) > 0);
		assert.match(
			fault.message,
			new RegExp(`runs ${counted(instances_max, "separate instance")}.*then try again`),
		);
		assert.ok(calls.every((call) => (leaseOf(call).upstream as FakeUpstream).state === "open"));
		// Whoever has an instance may go on using it, and one that nobody uses makes room.
		assert.ok(made.hosting.tryAcquire(keyOf(0)) !== undefined);
		leaseOf(calls.at(-1) as Attempt).release();
		made.hosting.tryAcquire(keyOf(0))?.release();
		const welcome = acquire(made, "a", { key: keyOf(101) });
		await made.clock.advance(1_000);
		assert.equal(is_served(welcome), instances_max > 1);
		assert.ok(made.driver.open_upstreams.length <= instances_max);
		await end(made);
	});
}

for (const replicas of [1, 2, 4]) {
	test(`a server has ${replicas} replicas where that is the bound, and no more under load`, async () => {
		const made = house({ replicas, instances_max: replicas, queue_calls_max: 64 });
		const calls = Array.from({ length: 12 }, () => acquire(made, "a"));
		await made.clock.advance(1_000);
		assert.equal(made.driver.open_upstreams.length, replicas);
		assert.equal(
			new Set(calls.filter(is_served).map((call) => leaseOf(call).upstream)).size,
			replicas,
		);
		for (const call of calls) {
			leaseOf(call).release();
			await settle();
		}
		await end(made);
	});
}

for (const fails_max of [1, 2, 100]) {
	test(`${fails_max} signs of life may be missing where that is the bound, and then it is ended`, async () => {
		const ping_ms = 60_000;
		const made = house({}, { health: { ping_ms, fails_max } });
		const call = acquire(made, "a");
		await made.clock.advance(100);
		leaseOf(call).release();
		const upstream = leaseOf(call).upstream as FakeUpstream;
		upstream.answering = false;
		const round_ms = ping_ms + answer_ms_max;
		await made.clock.advance((fails_max - 1) * round_ms);
		// One that comes in time forgives all that were missing.
		upstream.answering = true;
		await made.clock.advance(ping_ms);
		assert.deepEqual([upstream.pings, upstream.state], [fails_max, "open"]);
		upstream.answering = false;
		await made.clock.advance(fails_max * round_ms - 1);
		assert.equal(upstream.state, "open");
		await made.clock.advance(1);
		assert.equal(upstream.state, "closed");
		assert.match(
			made.hosting.status("a")?.reason ?? "",
			new RegExp(`did not answer ${counted(fails_max, "sign")} of life`),
		);
		await made.clock.advance(10_000);
		assert.equal(stateOf(made, "a"), "ready");
		await end(made);
	});
}

test("tries that are repeated take half of the places, whatever number there is", async () => {
	// retries_max
	for (const [places_max, retries] of [
		[1, 1],
		[2, 1],
		[3, 1],
		[4, 2],
		[5, 2],
	] as const) {
		const admission = new StartAdmission({ clock: new FakeClock(), places_max });
		const signal = new AbortController().signal;
		const admitted: Pass[] = [];
		for (let at = 0; at < 6; at += 1) {
			void admission.enter({ retry: true, signal }).then((pass) => pass && admitted.push(pass));
		}
		await settle();
		assert.equal(admitted.length, retries, `${places_max} places`);
		for (let left = 6; left > 0; left -= 1) {
			admitted.shift()?.leave();
			await settle();
		}
		assert.deepEqual(admission.counts, { under_way: 0, waiting: 0 }, "all had their turn");
	}
});

test("the keys of as many instances are hidden as may be in the middle of one", () => {
	// keys_max
	const [begin, finish] = ["BEGIN", "END"].map((word) => `-----${word} PRIVATE KEY-----`);
	const body = "MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQC7";
	for (const count of [255, 256]) {
		const ring = new LineRing(new FakeClock(), new SecretRedactor());
		for (let at = 1; at <= count; at += 1) ring.push("stderr", at, begin as string);
		for (let at = 1; at <= count; at += 1) ring.push("stderr", at, body);
		for (let at = 1; at <= count; at += 1) ring.push("stderr", at, `${finish} after`);
		assert.ok(!ring.all().some(({ text }) => text.includes(body)), String(count));
		assert.equal(ring.all().at(-1)?.text, `${redacted} after`);
	}
	// Of one more, that which has said nothing for longest is taken to have ended.
	const ring = new LineRing(new FakeClock(), new SecretRedactor());
	for (let at = 1; at <= 256; at += 1) ring.push("stderr", at, begin as string);
	ring.push("stderr", 1, body);
	ring.push("stderr", 257, begin as string);
	for (const at of [1, 3, 256, 257]) {
		ring.push("stderr", at, body);
		assert.equal(ring.all().at(-1)?.text, redacted, String(at));
	}
});

test("nothing of one server's bounds is felt by another", async () => {
	const made = fakeHouse();
	const plan = serverPlan("a");
	const tight = { ...plan.instances, concurrency_max: 1, queue_calls_max: 1, instances_max: 1 };
	made.hosting.apply([{ ...plan, instances: tight }, serverPlan("b")]);
	const busy = [acquire(made, "a")];
	await made.clock.advance(100);
	busy.push(acquire(made, "a"));
	const refused = acquire(made, "a");
	await settle();
	assert.equal(faultOf(refused).code, "queue_full");
	const other = acquire(made, "b");
	await made.clock.advance(100);
	leaseOf(other).release();
	assert.ok(made.hosting.tryAcquire(baseKey("b")) !== undefined);
	leaseOf(busy[0] as Attempt).release();
	await settle();
	leaseOf(busy[1] as Attempt).release();
	await end(made);
});
