import assert from "node:assert/strict";
import { test } from "node:test";
import { ApprovalSimulation } from "../../test/support/approval-simulation.ts";

/** Plays one seed alone: the one that a failure names. */
const seed_variable = "MOORAGE_SIMULATION_SEED";
const seeds = 60;

const wanted = process.env[seed_variable];
const played =
	wanted === undefined ? Array.from({ length: seeds }, (_, seed) => seed) : [Number(wanted)];

test("each call is decided once and executed at most once, whoever decides when, and whatever is killed", async () => {
	const seen = new Map<string, number>();
	for (const seed of played) {
		const simulation = await ApprovalSimulation.begin(seed);
		try {
			await simulation.play();
		} catch (error) {
			throw new Error(`Play it again with ${seed_variable}=${seed}`, { cause: error });
		}
		for (const [what, times] of simulation.seen) seen.set(what, (seen.get(what) ?? 0) + times);
	}
	if (wanted !== undefined) return;
	for (const what of expected) assert.ok((seen.get(what) ?? 0) > 0, `no seed had a ${what}`);
});

/** What the seeds must come across, or they prove nothing. */
const expected = [
	"execution",
	"kill",
	"decision",
	"decision that came too late",
	"call that is not yet, or no longer, to go on",
	"done",
	"unknown",
	"denied",
	"expired",
	"asked again after an unknown fate",
];
