import assert from "node:assert/strict";
import { test } from "node:test";
import { advance, mayFollow, type ServerStateName, state_transitions } from "./states.ts";

const names = Object.keys(state_transitions) as ServerStateName[];

test("the way of a server's life is allowed from beginning to end", () => {
	const life: ServerStateName[] = [
		"declared",
		"resolving",
		"stopped",
		"starting",
		"ready",
		"frozen",
		"ready",
		"draining",
		"stopped",
	];
	let state = life[0] as ServerStateName;
	for (const next of life.slice(1)) state = advance(state, next);
	assert.equal(state, "stopped");
});

test("a step that is not in the table is a defect", () => {
	assert.throws(() => advance("stopped", "ready"), /cannot go from stopped to ready/);
	assert.throws(() => advance("draining", "ready"), /cannot go from draining to ready/);
	assert.equal(mayFollow("declared", "starting"), false);
});

test("no state follows itself and every state can be left and reached", () => {
	for (const name of names) {
		assert.equal(mayFollow(name, name), false, name);
		assert.ok(state_transitions[name].length > 0, name);
		const reached = name === "declared" || names.some((other) => mayFollow(other, name));
		assert.ok(reached, name);
	}
});

test("whatever a server is doing, there is a way for it to stop", () => {
	for (const start of names) {
		const seen = new Set<ServerStateName>([start]);
		for (const name of seen) for (const next of state_transitions[name]) seen.add(next);
		assert.ok(seen.has("stopped"), start);
	}
});
