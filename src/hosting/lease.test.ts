import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { Upstream } from "../upstreams/driver.ts";
import { baseKey } from "./instance-key.ts";
import { type Lease, LeaseCount, type LeaseUse } from "./lease.ts";

const upstream = {} as Upstream;
const key = baseKey("s");
const call: LeaseUse = { kind: "call" };

function build() {
	const told: (boolean | "question")[] = [];
	const count = new LeaseCount(key, upstream, {
		onBack: (last) => told.push(last),
		onQuestion: () => told.push("question"),
	});
	return { count, told };
}

test("leases are counted by what they are for, and each is given back once", () => {
	const use = fc.record({
		kind: fc.constantFrom<LeaseUse["kind"][]>("call", "hold"),
		asker: fc.constantFrom(undefined, "ada", "bob"),
	});
	fc.assert(
		fc.property(fc.array(fc.oneof(use, fc.nat(20)), { maxLength: 60 }), (events) => {
			const { count, told } = build();
			const taken: { lease: Lease; use: LeaseUse; held: boolean }[] = [];
			const heldNow = () => taken.filter(({ held }) => held).map((one) => one.use);
			const expected: boolean[] = [];
			for (const event of events) {
				if (typeof event === "object") {
					taken.push({ lease: count.take(event), use: event, held: true });
				} else {
					const one = taken[event];
					if (one?.held === true) expected.push(heldNow().length === 1);
					one?.lease.release();
					if (one !== undefined) one.held = false;
				}
				const held = heldNow();
				assert.equal(count.count, held.length);
				assert.equal(count.calls, held.filter(({ kind }) => kind === "call").length);
				const askers = new Set(held.flatMap(({ asker }) => asker ?? []));
				assert.deepEqual(new Set(count.askers), askers);
				for (const asker of ["ada", "bob", "eve"]) {
					const others = [...askers].some((one) => one !== asker);
					assert.equal(count.hasOtherAsker(asker), others);
				}
				assert.deepEqual(told, expected);
			}
		}),
	);
});

test("a lease leads to its upstream, also after it was given back", () => {
	const { count, told } = build();
	const lease = count.take(call);
	assert.equal(lease.upstream, upstream);
	lease.noteQuestion();
	lease.release();
	lease.noteQuestion();
	assert.equal(lease.upstream, upstream);
	assert.deepEqual(told, ["question", true]);
});

test("giving back what was never given is a defect", () => {
	const { count } = build();
	assert.throws(() => count.giveBack(call), /never given/);
});

test("what outlives a call holds its instance, and takes no place of a call", () => {
	const { count, told } = build();
	const lease = count.take({ kind: "call", asker: "ada" });
	const held = lease.hold();
	assert.equal(held.key, key);
	lease.release();
	assert.deepEqual([count.count, count.calls, count.askers], [1, 0, []]);
	held.release();
	assert.deepEqual(told, [false, true]);
	assert.throws(() => lease.hold(), /holds nothing/);
});
