import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { compare, readBaseline } from "./baseline.ts";
import type { LegOutcome } from "./legs.ts";
import { readRequirements, revisions } from "./requirements.ts";

const known = { set: "s", leg: "l", scenario: "known", reason: "it is known and explained" };

function row(outcomes: Record<string, string[]>, set = "s"): LegOutcome {
	const entries = Object.entries(outcomes);
	return {
		set,
		leg: "l",
		outcomes: entries.map(([scenario, problems]) => ({ scenario, problems, warnings: [] })),
	};
}

test("a failure that nobody has explained is unexpected", () => {
	const { unexpected } = compare([row({ known: ["a"], other: ["b", "c"], fine: [] })], [known]);
	assert.deepEqual(
		unexpected.map(({ scenario, problem }) => [scenario, problem]),
		[["other", "b\nc"]],
	);
});

test("a failure is explained in its own set and leg only", () => {
	const compared = compare([row({ known: ["a"] }), row({ known: ["a"] }, "t")], [known]);
	assert.deepEqual(compared.known, [known]);
	assert.deepEqual(
		compared.unexpected.map(({ row: { set } }) => set),
		["t"],
	);
});

test("an entry whose scenario passes is stale", () => {
	assert.deepEqual(compare([row({ known: [] })], [known]).stale, [known]);
	assert.deepEqual(compare([row({ other: [] })], [known]).stale, []);
});

test("an entry without a reason is refused", () => {
	const entry = (reason: string) => `[{set: s, leg: l, scenarios: [a, b], reason: "${reason}"}]`;
	assert.equal(readBaseline(entry("it is known and explained")).length, 2);
	assert.throws(() => readBaseline(entry("no")), /incomplete/);
	assert.throws(() => readBaseline("[{set: s, leg: l, scenarios: []}]"), /incomplete/);
	assert.deepEqual(readBaseline("# nothing\n"), []);
});

test("the baseline names scenarios of the sets, and none twice", () => {
	const baseline = readBaseline(readFileSync(new URL("baseline.yaml", import.meta.url), "utf8"));
	const all = revisions.flatMap((revision) =>
		(["server", "client"] as const).flatMap((side) => {
			const { required, others } = readRequirements(revision, side);
			return [...required, ...others];
		}),
	);
	const keys = baseline.map(({ set, leg, scenario }) => `${set} ${leg} ${scenario}`);
	assert.equal(new Set(keys).size, keys.length);
	for (const { scenario } of baseline) assert.ok(all.includes(scenario), scenario);
});

test("the sets are as large as the suite has frozen them", () => {
	const sizes = revisions.map((revision) =>
		(["server", "client"] as const).map((side) => readRequirements(revision, side).required.length),
	);
	assert.deepEqual(sizes, [
		[30, 18],
		[37, 32],
	]);
});
