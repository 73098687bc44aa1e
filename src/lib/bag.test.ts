import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { Bag } from "./bag.ts";

test("what is added is in it until it is removed by its place", () => {
	const bag = new Bag<{ name: string }>();
	const [ana, bob] = [{ name: "ana" }, { name: "bob" }];
	const [at_ana, at_bob] = [bag.add(ana), bag.add(bob)];
	assert.equal(bag.size, 2);
	assert.deepEqual(bag.all(), [ana, bob]);
	assert.equal(bag.remove(at_ana, ana), true);
	assert.deepEqual(bag.all(), [bob]);
	assert.equal(bag.remove(at_bob, bob), true);
	assert.equal(bag.size, 0);
});

test("who was removed cannot be removed again, nor anybody in its place", () => {
	const bag = new Bag<{ name: string }>();
	const [ana, bob] = [{ name: "ana" }, { name: "bob" }];
	const place = bag.add(ana);
	bag.remove(place, ana);
	assert.equal(bag.remove(place, ana), false);
	assert.equal(bag.add(bob), place);
	assert.equal(bag.remove(place, ana), false);
	assert.deepEqual(bag.all(), [bob]);
});

test("it has what a set would have, whatever comes and goes", () => {
	fc.assert(
		fc.property(fc.array(fc.option(fc.nat(20)), { maxLength: 200 }), (events) => {
			const bag = new Bag<{ at: number }>();
			const model = new Set<{ at: number }>();
			for (const event of events) {
				const leaver = event === null ? undefined : [...model][event];
				if (leaver === undefined) {
					const item = { at: -1 };
					item.at = bag.add(item);
					model.add(item);
				} else {
					assert.equal(bag.remove(leaver.at, leaver), true);
					model.delete(leaver);
				}
				assert.equal(bag.size, model.size);
				assert.deepEqual(new Set(bag.all()), model);
			}
		}),
	);
});
