import assert from "node:assert/strict";
import { test } from "node:test";
import { GatewaySimulation } from "../../test/support/gateway-simulation.ts";

/** Plays one seed alone: the one that a failure names. */
const seed_variable = "MOORAGE_SIMULATION_SEED";
const seeds = 200;

const wanted = process.env[seed_variable];
const played =
	wanted === undefined ? Array.from({ length: seeds }, (_, seed) => seed) : [Number(wanted)];

test("every request ends once, and nothing is left, whatever drops, repeats or restarts", async () => {
	const seen = new Map<string, number>();
	for (const seed of played) {
		const simulation = new GatewaySimulation(seed);
		try {
			await simulation.play();
		} catch (error) {
			throw new Error(`Play it again with ${seed_variable}=${seed}`, { cause: error });
		}
		for (const [what, times] of simulation.seen) seen.set(what, (seen.get(what) ?? 0) + times);
	}
	if (wanted !== undefined) return;
	for (const what of expected) {
		assert.ok((seen.get(what) ?? 0) > 0, `no seed had a ${what}`);
	}
});

/** What the seeds must come across, or they prove nothing. */
const expected = [
	"restart",
	"broken connection",
	"modern reply",
	"legacy reply",
	"resumed call",
	"stolen state",
	"state that was over",
	"client that never came back",
	"lost question",
	"answered question",
	"answer too late",
];
