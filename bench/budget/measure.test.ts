import assert from "node:assert/strict";
import { test } from "node:test";
import { fullConfig } from "../full.ts";
import { judge } from "../targets.ts";
import { readBudget } from "./budget.ts";
import { budget_case, budgetTargets, earlier_case, stageConfig } from "./measure.ts";

test("each stage has what those before it have, and the last has everything", () => {
	const full = fullConfig(1, 2);
	const has = (stage: Parameters<typeof stageConfig>[1]) => {
		const config = stageConfig(full, stage) as Record<string, unknown>;
		const parts = ["identity", "policy", "telemetry"].filter((key) => config[key] !== undefined);
		return [...parts, config["audit"] === "off" ? "audit off" : "audit on"];
	};
	assert.deepEqual(has("plain"), ["audit off"]);
	assert.deepEqual(has("identity"), ["identity", "audit off"]);
	assert.deepEqual(has("policy"), ["identity", "policy", "audit off"]);
	assert.deepEqual(has("full"), ["identity", "policy", "telemetry", "audit on"]);
});

test("a stage that is a fifth over its budget fails the check, and one within it passes", () => {
	const { stages } = readBudget();
	const outcome = (factor: number) => {
		const values = Object.fromEntries(
			Object.entries(stages).map(([name, { of_ceiling }]) => [name, of_ceiling * factor]),
		);
		const result = { name: budget_case, title: "", sides: {}, values };
		return judge([result], budgetTargets()).map(({ passed }) => passed);
	};
	assert.ok(outcome(1).every((passed) => passed));
	assert.ok(outcome(1.2).every((passed) => !passed));
	assert.equal(outcome(1).length, Object.keys(stages).length);
});

test("a stage that is a fifth dearer than with the earlier gateway fails, however low the ceiling makes it", () => {
	const stages = Object.keys(readBudget().stages);
	const outcome = (factor: number, skipped?: string) => {
		const values =
			skipped === undefined ? Object.fromEntries(stages.map((name) => [name, factor])) : {};
		const reason = skipped === undefined ? {} : { skipped };
		const result = { name: earlier_case, title: "", sides: {}, values, ...reason };
		return judge([result], budgetTargets()).map(({ passed }) => passed);
	};
	assert.deepEqual(
		outcome(1.2),
		stages.map(() => false),
	);
	assert.ok(outcome(1).every((passed) => passed));
	assert.ok(outcome(1, "there is no history").every((passed) => passed));
});
