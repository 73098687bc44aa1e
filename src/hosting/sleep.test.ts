import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { FakeClock, settle } from "../../test/support/fake-clock.ts";
import { FakeHibernation, type FakeSleep } from "../../test/support/fake-driver.ts";
import { Sleep } from "./sleep.ts";

function setUp(script: FakeSleep = {}) {
	const clock = new FakeClock();
	const hibernation = new FakeHibernation(clock, script);
	const told: string[] = [];
	const sleep = new Sleep(hibernation, {
		onFreezeFailed: () => told.push("not frozen"),
		onThawFailed: (detail) => told.push(detail),
	});
	return { clock, hibernation, sleep, told };
}

test("going to sleep and waking are each asked for once", async () => {
	const { hibernation, sleep } = setUp();
	sleep.thaw();
	sleep.reclaim();
	sleep.freeze();
	sleep.freeze();
	await settle();
	assert.equal(sleep.asleep, true);
	sleep.thaw();
	sleep.thaw();
	assert.deepEqual(hibernation.log, ["freeze", "+freeze", "thaw"]);
});

test("what was given back is known until it wakes", async () => {
	const { sleep } = setUp({ reclaims_bytes: 4096 });
	sleep.freeze();
	assert.equal(sleep.reclaimed_bytes, undefined);
	sleep.reclaim();
	assert.equal(sleep.reclaimed_bytes, 0);
	await settle();
	assert.equal(sleep.reclaimed_bytes, 4096);
	sleep.thaw();
	assert.equal(sleep.reclaimed_bytes, undefined);
});

test("a freeze that fails is told, and not tried again", async () => {
	const { sleep, told } = setUp({ freezes: false });
	assert.equal(sleep.can_freeze, true);
	sleep.freeze();
	await settle();
	assert.deepEqual(told, ["not frozen"]);
	assert.equal(sleep.can_freeze, false);
	assert.equal(sleep.asleep, false);
});

test("a freeze that fails after it was taken back is nobody's business", async () => {
	const { clock, sleep, told } = setUp({ freezes: false, freeze_ms: 10 });
	sleep.freeze();
	sleep.thaw();
	await clock.advance(10);
	assert.deepEqual(told, []);
});

test("a thaw that fails is told with its reason", async () => {
	const { sleep, told } = setUp({ thaws: false });
	sleep.freeze();
	await settle();
	sleep.thaw();
	await settle();
	assert.deepEqual(told, ["the freezer is broken"]);
});

test("where nothing can be put to sleep, nothing happens", () => {
	const fault = () => assert.fail("nothing can fail");
	const sleep = new Sleep(undefined, { onFreezeFailed: fault, onThawFailed: fault });
	sleep.freeze();
	sleep.reclaim();
	sleep.thaw();
	assert.equal(sleep.can_freeze, false);
	assert.equal(sleep.asleep, false);
});

test("whatever is asked for in whatever order, the last wish is what comes of it", async () => {
	const wish = fc.constantFrom("freeze" as const, "thaw" as const, "reclaim" as const);
	const step = fc.record({ wish, pause_ms: fc.nat(30) });
	await fc.assert(
		fc.asyncProperty(fc.array(step, { maxLength: 12 }), async (steps) => {
			const { clock, hibernation, sleep } = setUp({ freeze_ms: 20 });
			for (const { wish, pause_ms } of steps) {
				sleep[wish]();
				await clock.advance(pause_ms);
			}
			await clock.advance(1_000);
			const last = steps.findLast((one) => one.wish !== "reclaim")?.wish;
			assert.equal(sleep.asleep, last === "freeze");
			assert.equal(hibernation.frozen, last === "freeze");
		}),
	);
});
