import assert from "node:assert/strict";
import { test } from "node:test";
import { type Feature, featureConfig } from "./features.ts";
import { fullConfig } from "./full.ts";

function partsOf(feature: Feature | undefined): string[] {
	const config = featureConfig(fullConfig(1, 2), feature) as Record<string, unknown>;
	const { echo } = config["servers"] as { echo: Record<string, unknown> };
	const named = ["identity", "policy", "telemetry"].filter((key) => key in config);
	const kept = ["audit", "calls"].filter((key) => !(key in config));
	return [...named, ...kept, ...("env" in echo ? ["secrets"] : [])];
}

test("each side of the case has one thing that the first has not", () => {
	assert.deepEqual(partsOf(undefined), []);
	assert.deepEqual(partsOf("identity"), ["identity"]);
	assert.deepEqual(partsOf("call_log"), ["calls"]);
	assert.deepEqual(partsOf("audit"), ["audit"]);
	assert.deepEqual(partsOf("traces"), ["telemetry"]);
});

test("rules come with the people they are about, and redaction with what is redacted", () => {
	assert.deepEqual(partsOf("rules"), ["identity", "policy"]);
	assert.deepEqual(partsOf("redaction"), ["audit", "secrets"]);
});
