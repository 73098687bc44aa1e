import assert from "node:assert/strict";
import { test } from "node:test";
import { settle } from "../../test/support/fake-clock.ts";
import {
	acquire,
	end,
	fakeHouse,
	faultOf,
	leaseOf,
	serverPlan,
	stateOf,
} from "../../test/support/fake-house.ts";
import { succeed } from "../lib/result.ts";
import { resolve_ms_max } from "./preparation.ts";
import { asWritten } from "./resolved.ts";

for (const [how, takes_ms, state] of [
	["that takes just not as long as it may is used", resolve_ms_max - 1, "ready"],
	["that takes longer than it may is given up, and the reason is told", resolve_ms_max, "failed"],
] as const) {
	test(`an installation ${how}`, async () => {
		const aborted: boolean[] = [];
		const house = fakeHouse(undefined, {
			resolve: (spec, { server, signal }) => {
				if (server === "other") return Promise.resolve(succeed(asWritten(spec)));
				const { promise, resolve } = Promise.withResolvers<void>();
				house.clock.after(takes_ms, resolve);
				signal.addEventListener("abort", () => aborted.push(true));
				return promise.then(() => succeed(asWritten(spec)));
			},
		});
		house.hosting.apply([serverPlan("slow", { start: "eager" }), serverPlan("other")]);
		const waiting = acquire(house, "slow", { wait_ms: 2 * resolve_ms_max });
		await house.clock.advance(resolve_ms_max - 2);
		assert.equal(stateOf(house, "slow"), "resolving");
		const other = acquire(house, "other");
		await house.clock.advance(1);
		await settle();
		assert.deepEqual(aborted, []);
		await house.clock.advance(200);
		leaseOf(other).release();
		assert.equal(stateOf(house, "slow"), state);
		if (state === "ready") leaseOf(waiting).release();
		else {
			assert.deepEqual(aborted, [true]);
			const { code, message } = faultOf(waiting);
			assert.equal(code, "install_failed");
			assert.match(message, /could not be installed within 10 minutes.*`moorage logs slow`/u);
		}
		await end(house);
	});
}
