import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { Upstream } from "../upstreams/driver.ts";
import { type Lease, LeaseCount } from "./lease.ts";

const upstream = {} as Upstream;

test("leases are counted, each given back once, and the last one is told of", () => {
	fc.assert(
		fc.property(fc.array(fc.option(fc.nat(20)), { maxLength: 60 }), (events) => {
			let told = 0;
			const count = new LeaseCount(upstream, () => {
				told += 1;
			});
			const taken: { lease: Lease; held: boolean }[] = [];
			let expected_told = 0;
			for (const index of events) {
				if (index === null) {
					taken.push({ lease: count.take(), held: true });
				} else {
					const one = taken[index];
					const held = taken.filter(({ held }) => held).length;
					if (one?.held === true && held === 1) expected_told += 1;
					one?.lease.release();
					if (one !== undefined) one.held = false;
				}
				assert.equal(count.count, taken.filter(({ held }) => held).length);
				assert.equal(told, expected_told);
			}
		}),
	);
});

test("a lease leads to its upstream, also after it was given back", () => {
	const lease = new LeaseCount(upstream, () => {}).take();
	assert.equal(lease.upstream, upstream);
	lease.release();
	assert.equal(lease.upstream, upstream);
});

test("giving back what was never given is a defect", () => {
	const count = new LeaseCount(upstream, () => {});
	assert.throws(() => count.giveBack(), /never given/);
});
