import assert from "node:assert/strict";
import { test } from "node:test";
import type { ServerStateName } from "./states.ts";
import { summariseState } from "./status.ts";

test("one word says what a server with several instances is doing", () => {
	const cases: [ServerStateName, ServerStateName[], boolean, ServerStateName][] = [
		// A server is what the best of its instances is.
		["stopped", ["ready", "failed", "starting"], false, "ready"],
		["stopped", ["failed", "starting"], false, "starting"],
		["stopped", ["failed", "stopped"], false, "failed"],
		["stopped", ["stopped"], false, "stopped"],
		["stopped", [], false, "stopped"],
		// What runs, runs on while the server is prepared anew; what does not, waits for that.
		["resolving", ["ready"], false, "ready"],
		["resolving", ["failed"], false, "resolving"],
		["resolving", ["stopped"], true, "resolving"],
		["failed", ["stopped"], false, "failed"],
		["declared", [], false, "declared"],
		["stopped", ["stopped"], true, "draining"],
		["stopped", ["draining"], false, "draining"],
		["stopped", ["failed"], true, "failed"],
	];
	for (const [preparation, slots, draining, expected] of cases) {
		const state = summariseState(preparation, slots, draining);
		assert.equal(state, expected, JSON.stringify([preparation, slots, draining]));
	}
});
