import assert from "node:assert/strict";
import { test } from "node:test";
import { FakeClock } from "../../../test/support/fake-clock.ts";
import { serverPlan } from "../../../test/support/fake-house.ts";
import { SeededRandom } from "../../../test/support/seeded-random.ts";
import { succeed } from "../../lib/result.ts";
import type { GatewayContext } from "../context.ts";
import { knownCatalog } from "./known-catalog.ts";

/** A gateway with a server that runs, and that nobody has heard from what it offers. */
function silentScene(running: Promise<never> | undefined) {
	const clock = new FakeClock(0);
	const asked: { readonly signal: AbortSignal; readonly wait_ms: number }[] = [];
	let released = 0;
	const context = {
		clock,
		random: new SeededRandom(1),
		limits: { list_wait_ms: 10_000 },
		catalogs: {
			get: () => undefined,
			refreshing: () => running,
			refresh: () => new Promise(() => undefined),
		},
		hosting: {
			acquire: (_key: unknown, options: (typeof asked)[number]) => {
				asked.push(options);
				return Promise.resolve(succeed({ upstream: {}, release: () => (released += 1) }));
			},
		},
	} as unknown as GatewayContext;
	return { clock, context, asked, released: () => released };
}

for (const [when, running] of [
	["is asked for its lists", undefined],
	["is being asked already", new Promise<never>(() => undefined)],
] as const) {
	test(`a server that runs, ${when} and says nothing is told of as that, in time`, async () => {
		const { clock, context, released } = silentScene(running);
		const outcome = knownCatalog(serverPlan("a"), context, new AbortController().signal);
		await clock.advance(10_000);
		const known = await outcome;
		assert.ok(!known.ok);
		assert.equal(known.problem.code, "call_timeout");
		assert.match(known.problem.message, /^The server "a" runs, and has not said after 10s what/);
		assert.equal(released(), 1);
		assert.equal(clock.pending, 0);
	});
}

test("waiting for a start ends by its own deadline, which tells why", async () => {
	const { clock, context, asked } = silentScene(undefined);
	const caller = new AbortController();
	const outcome = knownCatalog(serverPlan("a"), context, caller.signal);
	await clock.advance(10_000);
	await outcome;
	assert.equal(asked[0]?.wait_ms, 10_000);
	assert.equal(asked[0]?.signal, caller.signal);
});
