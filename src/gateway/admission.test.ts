import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { Admission, type Seat } from "./admission.ts";

/** What happens next: a tenant asks for a place, or gives its oldest one back. */
const step = fc.record({
	tenant: fc.integer({ min: 0, max: 5 }).map((at) => `t${at}`),
	leaves: fc.boolean(),
});
const play = fc.record({
	places_max: fc.integer({ min: 1, max: 40 }),
	steps: fc.array(step, { maxLength: 300 }),
});

/** Takes places for a tenant until it gets no more; how many it got, and why it got no more. */
function fill(admission: Admission, tenant: string, places_max: number, is_shared = true) {
	for (let got = 0; ; got += 1) {
		const seat = admission.enter(tenant, places_max, is_shared);
		if (typeof seat === "string") return { got, why: seat };
	}
}

test("there are never more requests than places, and nobody who holds none is sent away while one is free", () => {
	fc.assert(
		fc.property(play, ({ places_max, steps }) => {
			const admission = new Admission();
			const held = new Map<string, Seat[]>();
			for (const { tenant, leaves } of steps) {
				const seats = held.get(tenant) ?? [];
				held.set(tenant, seats);
				const taken = [...held.values()].reduce((sum, { length }) => sum + length, 0);
				assert.equal(admission.taken, taken);
				if (leaves) {
					const seat = seats.shift();
					if (seat !== undefined) admission.leave(seat);
					continue;
				}
				const seat = admission.enter(tenant, places_max, true);
				const free = places_max - taken;
				if (seat === "full") assert.equal(free, 0);
				else if (seat === "over_share") {
					// It holds at least as many as are free, so more than half of the room is taken or it is
					// the one that holds half.
					assert.ok(seats.length > 0 && seats.length >= free);
					assert.ok(taken * 2 >= places_max);
				} else seats.push(seat);
			}
			assert.ok(admission.taken <= places_max);
			for (const seat of [...held.values()].flat()) admission.leave(seat);
			assert.equal(admission.taken, 0);
		}),
	);
});

test("however many hot tenants there are, they leave a quiet one a share as large as theirs", () => {
	fc.assert(
		fc.property(
			fc.integer({ min: 1, max: 8 }),
			fc.integer({ min: 100, max: 2_000 }),
			(hot, places_max) => {
				const admission = new Admission();
				const held = new Map<string, number>();
				// They ask in turn, again and again, as hot tenants do.
				for (let more = true; more; ) {
					more = false;
					for (let at = 0; at < hot; at += 1) {
						if (typeof admission.enter(`hot${at}`, places_max, true) === "string") continue;
						held.set(`hot${at}`, (held.get(`hot${at}`) ?? 0) + 1);
						more = true;
					}
				}
				const share = places_max / (hot + 1);
				for (const one of held.values())
					assert.ok(Math.abs(one - share) <= 1, `${one} of ${share}`);
				assert.ok(places_max - admission.taken >= Math.floor(share) - hot);
				assert.ok(typeof admission.enter("quiet", places_max, true) !== "string");
			},
		),
	);
});

test("one after the other, hot tenants that give nothing back still leave a place for the next", () => {
	const admission = new Admission();
	for (let at = 0; at < 10; at += 1) {
		const { got, why } = fill(admission, `hot${at}`, 1_024);
		assert.deepEqual([got, why], [2 ** (9 - at), "over_share"]);
	}
	assert.equal(admission.taken, 1_023);
	assert.ok(typeof admission.enter("quiet", 1_024, true) !== "string");
	assert.equal(admission.enter("late", 1_024, true), "full");
});

test("where there is one tenant alone it has all the room", () => {
	assert.deepEqual(fill(new Admission(), "local", 10, false), { got: 10, why: "full" });
	assert.deepEqual(fill(new Admission(), "acme", 10, true), { got: 5, why: "over_share" });
	assert.deepEqual(fill(new Admission(), "acme", 1, true), { got: 1, why: "full" });
});

test("who gives a place back gets another, also when the limit has become smaller meanwhile", () => {
	const admission = new Admission();
	const seats = Array.from({ length: 6 }, () => admission.enter("acme", 100, true) as Seat);
	assert.equal(admission.enter("acme", 4, true), "full");
	for (const seat of seats.splice(0, 5)) admission.leave(seat);
	assert.ok(typeof admission.enter("acme", 4, true) !== "string");
	assert.equal(admission.taken, 2);
});

test("tenants that hold nothing are forgotten, those that hold something are not", () => {
	const admission = new Admission();
	const kept = admission.enter("kept", 1e6, true) as Seat;
	for (let at = 0; at < 100_000; at += 1) {
		const seat = admission.enter(`t${at}`, 1e6, true);
		assert.ok(typeof seat !== "string");
		admission.leave(seat);
	}
	assert.ok(admission.tenants <= 1_024, String(admission.tenants));
	assert.equal(admission.enter("kept", 1e6, true), kept);
});
