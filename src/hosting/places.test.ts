import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import {
	choosePlace,
	homePlace,
	overflow_max,
	type PlaceView,
	rankedPlaces,
	type Seeker,
} from "./places.ts";

const alone = () => false;
const free: PlaceView = { dead: false, runs: true, load: 0 };

function choose(seeker: Partial<Seeker>, places: Readonly<Record<number, Partial<PlaceView>>>) {
	const known = (place: number) => places[place] && { ...free, ...places[place] };
	const complete = { caller: undefined, replicas: 1, shuns: alone, room: 99, ...seeker };
	return choosePlace(complete, known);
}

test("where there is one instance everybody uses it, dead or alive", () => {
	assert.equal(choose({}, {}), 0);
	assert.equal(choose({ caller: "ada" }, { 0: { dead: true } }), 0);
});

test("who need not stick goes where least is to do, and starts nothing without need", () => {
	assert.equal(choose({ replicas: 3 }, {}), 0);
	assert.equal(choose({ replicas: 3 }, { 0: { load: 1 }, 1: { load: 2 } }), 2);
	assert.equal(choose({ replicas: 3 }, { 0: { runs: false }, 2: {} }), 2);
	assert.equal(choose({ replicas: 2 }, { 0: { load: 5 }, 1: { load: 4 } }), 1);
	assert.equal(choose({ replicas: 2 }, { 0: { load: 5 }, 1: { dead: true } }), 0);
});

test("a caller sticks to its replica, and to its next one while that is dead", () => {
	const caller = fc.string();
	const replicas = fc.integer({ min: 1, max: 6 });
	fc.assert(
		fc.property(caller, replicas, fc.array(fc.nat(5)), (who, count, dead) => {
			const order = rankedPlaces(who, count);
			assert.deepEqual(
				order.toSorted(),
				Array.from({ length: count }, (_, at) => at),
			);
			assert.equal(homePlace(who, count), order[0]);
			const places = Object.fromEntries(dead.map((place) => [place, { dead: true }]));
			const chosen = choose({ caller: who, replicas: count }, places);
			assert.equal(chosen, order.find((place) => !dead.includes(place)) ?? order[0]);
			// One replica more takes callers to itself and moves nobody between the others.
			const more = rankedPlaces(who, count + 1);
			assert.deepEqual(
				more.filter((place) => place < count),
				order,
			);
		}),
	);
});

test("callers spread over the replicas, also those of one that is dead", () => {
	const callers = Array.from({ length: 300 }, (_, at) => `session:${at}`);
	const spread = (dead: Readonly<Record<number, Partial<PlaceView>>>) => {
		const counts = [0, 0, 0];
		for (const caller of callers) {
			const place = choose({ caller, replicas: 3 }, dead);
			counts[place] = (counts[place] as number) + 1;
		}
		return counts;
	};
	for (const count of spread({})) assert.ok(count > 60, String(count));
	const [none, ...others] = spread({ 0: { dead: true } });
	assert.equal(none, 0);
	for (const count of others) assert.ok(count > 100, String(count));
});

test("who must not share gets a place of its own, as long as there may be one", () => {
	const busy = (taken: readonly number[]) => (place: number) => taken.includes(place);
	assert.equal(choose({ shuns: busy([]) }, {}), 0);
	assert.equal(choose({ shuns: busy([0]) }, { 0: {} }), 1);
	assert.equal(choose({ shuns: busy([0, 1]) }, { 0: {}, 1: {} }), 2);
	assert.equal(choose({ shuns: busy([0]), room: 0 }, { 0: {} }), 0);
	// A place that is there already needs no room.
	assert.equal(choose({ shuns: busy([0]), room: 0 }, { 0: {}, 1: {} }), 1);
	assert.equal(choose({ shuns: busy([0]) }, { 0: {}, 1: { dead: true } }), 2);
	assert.equal(choose({ replicas: 3, shuns: busy([0]) }, { 0: {} }), 3);
	assert.equal(choose({ shuns: () => true }, { 0: {} }), 0);
});

test("there is only so much room beside the replicas", () => {
	const asked: number[] = [];
	const shuns = (place: number) => {
		asked.push(place);
		return true;
	};
	choose({ replicas: 2, shuns }, {});
	assert.ok(Math.max(...asked) < 2 + overflow_max);
});
