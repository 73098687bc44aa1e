import assert from "node:assert/strict";
import { test } from "node:test";
import { FakeClock, settle } from "../../test/support/fake-clock.ts";
import {
	asleep_ms,
	at_once_max,
	calm_ms,
	forgiven_ms,
	pause_ms_max,
	pause_ms_min,
	Rereading,
} from "./rereading.ts";

type Outcome = Promise<unknown> | "asleep" | undefined;

/** Readings of instances that are named by a text. */
function house(read: (key: string, waited: boolean) => Outcome) {
	const clock = new FakeClock();
	const pauses: number[] = [];
	const seen = { readings: 0, running: 0, most: 0 };
	const rereading = new Rereading<string>({
		clock,
		nameOf: (key) => key,
		read: (key, waited) => {
			const reading = read(key, waited);
			if (reading === undefined || reading === "asleep") return reading;
			seen.readings += 1;
			seen.running += 1;
			seen.most = Math.max(seen.most, seen.running);
			return reading.finally(() => {
				seen.running -= 1;
			});
		},
		onOften: (_key, pause_ms) => pauses.push(pause_ms),
	});
	return { clock, pauses, seen, rereading };
}

test("however often an instance says so meanwhile, there is one reading and one after it", async () => {
	const gates: (() => void)[] = [];
	const { seen, rereading } = house(() => new Promise<void>((resolve) => gates.push(resolve)));
	for (let said = 0; said < 5_000; said++) rereading.ask("a");
	assert.deepEqual(seen, { readings: 1, running: 1, most: 1 });
	gates[0]?.();
	await settle();
	assert.equal(seen.readings, 2);
	gates[1]?.();
	await settle();
	assert.deepEqual(seen, { readings: 2, running: 0, most: 1 });
});

test("one whose lists change with every reading is made to wait, longer each time", async () => {
	const { clock, pauses, seen, rereading } = house(async () => rereading.ask("a"));
	rereading.ask("a");
	await settle();
	assert.equal(seen.readings, at_once_max);
	assert.deepEqual(pauses, [pause_ms_min]);
	await clock.advance(pause_ms_min - 1);
	assert.equal(seen.readings, at_once_max);
	await clock.advance(1);
	await settle();
	assert.equal(seen.readings, at_once_max + 1);
	assert.deepEqual(pauses, [pause_ms_min, 2 * pause_ms_min]);
	await clock.advance(3_600_000);
	assert.equal(pauses.at(-1), pause_ms_max);
	assert.ok(seen.readings < at_once_max + 25, String(seen.readings));
});

test("one that was calm begins anew, and others never wait for it", async () => {
	const { clock, pauses, seen, rereading } = house(async () => {});
	for (let said = 0; said < at_once_max; said++) {
		rereading.ask("a");
		await settle();
	}
	rereading.ask("b");
	await settle();
	assert.equal(seen.readings, at_once_max + 1);
	await clock.advance(calm_ms);
	rereading.ask("a");
	await settle();
	assert.equal(seen.readings, at_once_max + 2);
	assert.deepEqual(pauses, []);
});

test("one whose lists are changed once a second is read at once each time", async () => {
	const { clock, pauses, seen, rereading } = house(async () => {});
	for (let said = 1; said <= 10 * at_once_max; said++) {
		rereading.ask("a");
		await settle();
		assert.equal(seen.readings, said);
		await clock.advance(forgiven_ms);
	}
	assert.deepEqual(pauses, []);
});

test("nothing is woken for a reading that had to wait: it is done once the instance is awake", async () => {
	let asleep = false;
	const waits: boolean[] = [];
	const { clock, seen, rereading } = house((_key, waited): Outcome => {
		waits.push(waited);
		return asleep ? "asleep" : Promise.resolve();
	});
	for (let said = 0; said <= at_once_max; said++) {
		rereading.ask("a");
		await settle();
	}
	asleep = true;
	await clock.advance(5 * asleep_ms);
	assert.equal(seen.readings, at_once_max);
	asleep = false;
	await clock.advance(asleep_ms);
	assert.equal(seen.readings, at_once_max + 1);
	assert.deepEqual(new Set(waits.slice(at_once_max)), new Set([true]));
});

test("an instance that is gone is not read, and those that are calm are forgotten", async () => {
	const { clock, rereading } = house(() => undefined);
	for (let instance = 0; instance < 100; instance++) rereading.ask(`gone ${instance}`);
	await settle();
	await clock.advance(calm_ms);
	rereading.ask("another");
	assert.equal(rereading.size, 1);
});
