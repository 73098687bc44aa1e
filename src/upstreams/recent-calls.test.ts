import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { RecentCalls } from "./recent-calls.ts";

interface Item {
	readonly id: number;
}

test("what is added is found by its number until it is deleted, and only by its number", () => {
	const calls = new RecentCalls<Item>();
	const first = { id: 1 };
	calls.add(first);
	assert.equal(calls.get(1), first);
	assert.equal(calls.get(17), undefined);
	calls.delete(first);
	calls.delete(first);
	assert.equal(calls.get(1), undefined);
	assert.equal(calls.size, 0);
});

test("one that stays for long is still found after thousands of others", () => {
	const calls = new RecentCalls<Item>();
	const subscription = { id: 1 };
	calls.add(subscription);
	for (let id = 2; id < 5_000; id += 1) {
		const call = { id };
		calls.add(call);
		assert.equal(calls.get(id), call);
		calls.delete(call);
	}
	assert.equal(calls.get(1), subscription);
	assert.deepEqual(calls.all(), [subscription]);
	calls.delete(subscription);
	assert.equal(calls.size, 0);
});

test("many more than there are places at first are all found", () => {
	const calls = new RecentCalls<Item>();
	const items = Array.from({ length: 5_000 }, (_, index) => ({ id: index + 1 }));
	for (const item of items) calls.add(item);
	assert.equal(calls.size, 5_000);
	for (const item of items) assert.equal(calls.get(item.id), item);
	for (const item of items) calls.delete(item);
	assert.equal(calls.size, 0);
});

test("it has what a map would have, whatever comes and goes", () => {
	fc.assert(
		fc.property(fc.array(fc.option(fc.nat(60)), { maxLength: 400 }), (events) => {
			const calls = new RecentCalls<Item>();
			const model = new Map<number, Item>();
			let last_id = 0;
			for (const event of events) {
				const leaver = event === null ? undefined : [...model.values()][event];
				if (leaver === undefined) {
					last_id += 1;
					const item = { id: last_id };
					calls.add(item);
					model.set(last_id, item);
				} else {
					calls.delete(leaver);
					model.delete(leaver.id);
				}
				assert.equal(calls.size, model.size);
				assert.deepEqual(new Set(calls.all()), new Set(model.values()));
				for (let id = 1; id <= last_id; id += 1) assert.equal(calls.get(id), model.get(id));
			}
		}),
		{ numRuns: 60 },
	);
});
