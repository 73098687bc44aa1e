import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { ReplayCache } from "./replay-cache.ts";

test("what was used is not new until its time is over", () => {
	const cache = new ReplayCache();
	assert.equal(cache.isNew("key", "a", 100, 0), true);
	assert.equal(cache.isNew("key", "a", 100, 50), false);
	assert.equal(cache.isNew("key", "b", 100, 50), true);
	assert.equal(cache.isNew("other", "a", 100, 50), true);
	assert.equal(cache.isNew("key", "a", 200, 100), true);
});

test("who sends too many is refused alone, and only for so long", () => {
	const cache = new ReplayCache();
	let taken = 0;
	for (let index = 0; index < 12_000; index += 1) {
		if (cache.isNew("greedy", String(index), 100, 0)) taken += 1;
	}
	assert.equal(taken, 10_000);
	assert.equal(cache.isNew("modest", "0", 100, 0), true);
	assert.equal(cache.isNew("greedy", "more", 200, 100), true);
});

test("no proof is ever taken twice within its time", () => {
	const use = fc.record({
		key: fc.constantFrom("a", "b"),
		proof: fc.constantFrom("1", "2", "3"),
		wait: fc.nat(40),
	});
	fc.assert(
		fc.property(fc.array(use), (uses) => {
			const cache = new ReplayCache();
			const until = new Map<string, number>();
			let now = 0;
			for (const { key, proof, wait } of uses) {
				now += wait;
				const name = `${key} ${proof}`;
				const is_over = (until.get(name) ?? 0) <= now;
				assert.equal(cache.isNew(key, proof, now + 60, now), is_over);
				if (is_over) until.set(name, now + 60);
			}
		}),
	);
});
