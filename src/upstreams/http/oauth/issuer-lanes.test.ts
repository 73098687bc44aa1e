import assert from "node:assert/strict";
import { test } from "node:test";
import { FakeClock } from "../../../../test/support/fake-clock.ts";
import {
	peopleWithGrants,
	startRenewingProvider,
} from "../../../../test/support/renewing-people.ts";
import { SeededRandom } from "../../../../test/support/seeded-random.ts";
import { until } from "../../../../test/support/until.ts";
import { systemClock } from "../../../lib/clock.ts";
import { IssuerLanes, lane_width } from "./issuer-lanes.ts";

for (const seed of [1, 2, 3, 4, 5, 6, 7, 8]) {
	test(`however renewals come and end, few are at an issuer at a time (seed ${seed})`, async () => {
		const random = new SeededRandom(seed);
		const lanes = new IssuerLanes(4);
		const running = new Map<string, number>();
		const ended: (() => void)[] = [];
		let [peak, done] = [0, 0];
		const all = Array.from({ length: 200 }, (_, index) => {
			const issuer = `issuer-${random.below(3)}`;
			const fails = random.below(10) === 0;
			const haste = random.below(3) === 0 ? "waited_for" : "ahead";
			return lanes
				.run(issuer, haste, async () => {
					running.set(issuer, (running.get(issuer) ?? 0) + 1);
					peak = Math.max(peak, running.get(issuer) ?? 0);
					await new Promise<void>((resolve) => ended.push(resolve));
					running.set(issuer, (running.get(issuer) ?? 0) - 1);
					if (fails) throw new Error("out of order");
					return index;
				})
				.catch(() => undefined)
				.finally(() => {
					done += 1;
				});
		});
		while (done < all.length) {
			const at = random.below(ended.length);
			for (const resolve of ended.splice(at, 1)) resolve();
			await new Promise((resolve) => setImmediate(resolve));
		}
		await Promise.all(all);
		assert.equal(peak, 4);
		assert.ok([...running.values()].every((count) => count === 0));
	});
}

test("whoever is waited for goes before whoever is not", async () => {
	const lanes = new IssuerLanes(1);
	const order: string[] = [];
	const first = Promise.withResolvers<void>();
	const note = (name: string) => async () => void order.push(name);
	const all = [
		lanes.run("issuer", "ahead", () => first.promise),
		lanes.run("issuer", "ahead", note("ahead")),
		lanes.run("issuer", "waited_for", note("waited for")),
		lanes.run("another", "ahead", note("another issuer")),
	];
	await all[3];
	first.resolve();
	await Promise.all(all);
	assert.deepEqual(order, ["another issuer", "waited for", "ahead"]);
});

for (const seed of [1, 2]) {
	test(`people whose tokens end together are renewed once each, and not at once (seed ${seed})`, async (t) => {
		const provider = await startRenewingProvider(5);
		t.after(() => provider.stop());
		const random = new SeededRandom(seed);
		const count = 300;
		const { issuer } = provider;
		const due = { issuer, count, clock: systemClock, random, renew_at_ms: systemClock.now() };
		const { people, store } = await peopleWithGrants(due);
		// Each makes calls before and while the tokens are renewed, in any order.
		for (let call = 0; call < 5 * count; call += 1) {
			people[random.below(count)]?.headers();
			if (call % 50 === 0) await new Promise((resolve) => setImmediate(resolve));
		}
		for (const person of people) {
			const [, sent] = person.headers();
			assert.match(sent ?? "", /^Bearer (first|access-held)-/);
		}
		await until(() => store.grants_by_user.size === count);
		const { metadata, renewals, peak, refused } = await provider.seen();
		assert.deepEqual({ metadata, renewals, refused }, { metadata: 2, renewals: count, refused: 0 });
		assert.ok(peak <= lane_width, `${peak} at once`);
		const times = [...store.grants_by_user.values()].map(({ renew_at_ms }) => renew_at_ms ?? 0);
		const spread_ms = Math.max(...times) - Math.min(...times);
		assert.ok(spread_ms > 180_000, `the next time they are ${spread_ms} ms apart`);
	});
}

test("a token is renewed between five minutes and one before its end", async (t) => {
	const provider = await startRenewingProvider(0);
	t.after(() => provider.stop());
	const clock = new FakeClock();
	const random = new SeededRandom(9);
	const { issuer } = provider;
	const due = { issuer, count: 40, clock, random, renew_at_ms: clock.now() };
	const { people, store } = await peopleWithGrants(due);
	for (const person of people) person.headers();
	await until(() => store.grants_by_user.size === people.length);
	const end_ms = clock.now() + 3_600_000;
	for (const { renew_at_ms = 0 } of store.grants_by_user.values()) {
		assert.ok(renew_at_ms >= end_ms - 300_000 && renew_at_ms <= end_ms - 60_000);
		assert.ok(Number.isInteger(renew_at_ms), "it is told as whole milliseconds");
	}
});
