import assert from "node:assert/strict";
import { test } from "node:test";
import { plain_demand } from "../../test/support/approval-samples.ts";
import { checkedCall, toolFacts } from "../../test/support/checked-call.ts";
import { RiskCheck } from "./check-risk.ts";

const check = new RiskCheck(() => ({ risk: ["destructive", "costly"], demand: plain_demand }));

test("tools of the named classes are asked about, others are not", () => {
	const verdict = check.check(checkedCall());
	assert.deepEqual(verdict, { kind: "ask", rule: "risk: destructive", approval: plain_demand });
	assert.equal(check.check(checkedCall({ tool: toolFacts("pay", "costly") })).kind, "ask");
	assert.equal(check.check(checkedCall({ tool: toolFacts("read", "read") })).kind, "allow");
});

test("a tool that nothing is known of may do anything", () => {
	assert.equal(check.check(checkedCall({ tool: undefined })).kind, "ask");
	const only = new RiskCheck(() => ({ risk: ["costly"], demand: plain_demand }));
	assert.equal(only.check(checkedCall({ tool: undefined })).kind, "allow");
});

test("what is no tool is not asked about, and nothing is where nothing is configured", () => {
	const read = checkedCall({ method: "resources/read", tool: undefined });
	assert.equal(check.check(read).kind, "allow");
	assert.equal(new RiskCheck(() => undefined).check(checkedCall()).kind, "allow");
});
