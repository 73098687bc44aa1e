import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { ToolRulePlan } from "../config/policy-plan.ts";
import { risk_classes } from "../protocol/risk.ts";
import { rank, riskOf, settingsFor } from "./risk.ts";

const none: readonly ToolRulePlan[] = [];

function setting(pattern: string, changes: Partial<ToolRulePlan> = {}): ToolRulePlan {
	return { pattern, risk: undefined, scopes: [], approval: undefined, ...changes };
}

test("names tell the risk of tools without annotations, in every way of writing them", () => {
	const names = {
		read: ["get_issue", "listRepos", "search-code", "READ", "fetch_url"],
		reversible: ["create_issue", "updatePage", "set-status", "addLabel"],
		costly: ["refund", "buy_now", "provisionHost"],
		visible: ["send_email", "postMessage", "publish-page"],
		destructive: ["delete_repository", "dropTable", "rm", "get_and_delete", "run_sql"],
	};
	for (const [risk, tools] of Object.entries(names)) {
		for (const tool of tools) {
			assert.deepEqual(riskOf(tool, {}, none), { risk, from: "name" }, tool);
		}
	}
});

test("a tool of which nothing is known is taken for the worst", () => {
	assert.deepEqual(riskOf("frobnicate", {}, none), { risk: "destructive", from: "unknown" });
	assert.deepEqual(riskOf("x".repeat(1_000), {}, none).from, "unknown");
	assert.deepEqual(riskOf("", {}, none).from, "unknown");
});

test("annotations tell the risk of tools whose name says nothing", () => {
	const risk = (annotations: object) => riskOf("frobnicate", { ...annotations }, none);
	assert.deepEqual(risk({ readOnlyHint: true }), { risk: "read", from: "annotations" });
	assert.deepEqual(risk({ destructiveHint: false }).risk, "reversible");
	assert.deepEqual(risk({ destructiveHint: true }).risk, "destructive");
	assert.deepEqual(risk({ readOnlyHint: false }).risk, "destructive");
	assert.deepEqual(risk({ readOnlyHint: "true" }).from, "unknown");
});

test("no annotation makes a tool look more harmless than its name", () => {
	assert.equal(riskOf("delete_all", { readOnlyHint: true }, none).risk, "destructive");
	assert.equal(riskOf("send_mail", { destructiveHint: false }, none).risk, "visible");
	assert.equal(riskOf("get_page", { destructiveHint: true }, none).risk, "destructive");
	fc.assert(
		fc.property(fc.string(), fc.dictionary(fc.string(), fc.boolean()), (name, annotations) => {
			const by_name = riskOf(name, {}, none);
			const both = riskOf(name, annotations, none);
			if (by_name.from === "name") assert.ok(rank(both.risk) >= rank(by_name.risk));
			assert.ok(risk_classes.includes(both.risk));
		}),
	);
});

test("what the configuration gives wins, a tool's own name before patterns", () => {
	const rules = [
		setting("*", { risk: "read" }),
		setting("delete_*", { risk: "visible" }),
		setting("delete_all", { risk: "costly" }),
	];
	assert.deepEqual(riskOf("delete_all", {}, rules), { risk: "costly", from: "given" });
	assert.deepEqual(riskOf("delete_one", {}, rules), { risk: "read", from: "given" });
	const found = settingsFor("delete_all", rules).map(({ pattern }) => pattern);
	assert.deepEqual(found, ["delete_all", "*", "delete_*"]);
});
