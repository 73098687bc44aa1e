import assert from "node:assert/strict";
import { test } from "node:test";
import { callFor } from "../../test/support/calls.ts";
import { FakeClock } from "../../test/support/fake-clock.ts";
import { rpcError } from "./call.ts";
import type { GatewayContext } from "./context.ts";
import { recordCall } from "./pipeline.ts";

test("a keeper of evidence that breaks takes nothing from the others", async () => {
	const [kept, defects]: [string[], unknown[]] = [[], []];
	const keeper = (name: string) => ({
		after: () => Promise.resolve(void kept.push(name)),
	});
	const broken = {
		after: () => {
			throw new RangeError("too deep");
		},
	};
	const context = {
		clock: new FakeClock(),
		versionOf: () => "1",
		catalogs: new Map(),
		evidence: [keeper("first"), broken, keeper("last")],
		defect: (error: unknown) => void defects.push(error),
	} as unknown as GatewayContext;
	const call = callFor({ method: "tools/call", params: { name: "t", arguments: {} } });
	const recorded = recordCall(call, rpcError(-32601, "Method not found"), context);
	assert.ok(recorded instanceof Promise, "the others are waited for");
	await recorded;
	assert.deepEqual(kept, ["first", "last"]);
	assert.match(String(defects), /too deep/);
});
