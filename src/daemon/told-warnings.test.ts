import assert from "node:assert/strict";
import { test } from "node:test";
import type { Plan } from "../config/plan.ts";
import { declared_running } from "../config/running.ts";
import { withSandboxWarning } from "./told-warnings.ts";

test("a lesser sandbox is warned of where a program should have one", () => {
	const planOf = (driver: string, mode: string) => {
		const { sandbox } = declared_running;
		const servers = [{ spec: { driver }, sandbox: { ...sandbox, mode } }];
		return { servers, warnings: ["first"] } as unknown as Plan;
	};
	const warningsOf = (driver: string, mode: string, shortfall: string | undefined) =>
		withSandboxWarning(planOf(driver, mode), shortfall).warnings;
	assert.deepEqual(warningsOf("stdio", "on", "none here"), ["first", "none here"]);
	assert.deepEqual(warningsOf("stdio", "required", "none here"), ["first", "none here"]);
	assert.deepEqual(warningsOf("stdio", "off", "none here"), ["first"]);
	assert.deepEqual(warningsOf("http", "on", "none here"), ["first"]);
	assert.deepEqual(warningsOf("stdio", "on", undefined), ["first"]);
});
