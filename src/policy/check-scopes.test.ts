import assert from "node:assert/strict";
import { test } from "node:test";
import { callWith, policyOf, toolWith } from "../../test/support/policy.ts";
import type { ToolRulePlan } from "../config/policy-plan.ts";
import { principalOf } from "../identity/principal.ts";
import { ExposureCheck } from "./check-exposure.ts";
import { ScopesCheck } from "./check-scopes.ts";

function rule(pattern: string, changes: Partial<ToolRulePlan>): ToolRulePlan {
	return { pattern, risk: undefined, scopes: [], approval: undefined, ...changes };
}

function policyWith(tools: readonly ToolRulePlan[], host?: string) {
	return policyOf(
		{ servers: { billing: { tools, arguments: "check", reviewed: undefined } } },
		host,
	);
}

const scopes = new ScopesCheck(
	policyWith([rule("refund", { scopes: ["pay", "refund"] }), rule("*", { scopes: ["billing"] })]),
);

function holding(...held: string[]) {
	return principalOf("acme", "ana", { via: "token", scopes: held });
}

test("a token without a scope is told every scope that the call needs", () => {
	const verdict = scopes.check(callWith({ principal: holding("pay") }));
	assert.deepEqual(verdict, {
		kind: "deny",
		code: "scope_missing",
		message: 'This call needs the scopes "refund", "billing", which the token does not have.',
		scopes: ["pay", "refund", "billing"],
	});
});

test("a token with all scopes, a tool without any, and what is not limited are let pass", () => {
	const all = holding("billing", "pay", "refund");
	assert.equal(scopes.check(callWith({ principal: all })).kind, "allow");
	assert.equal(scopes.check(callWith({ principal: holding("billing"), name: "x" })).kind, "allow");
	assert.equal(scopes.check(callWith({ principal: holding(), server: "other" })).kind, "allow");
	assert.equal(
		scopes.check(callWith({ method: "prompts/get", principal: holding() })).kind,
		"allow",
	);
	assert.equal(scopes.check(callWith({})).kind, "allow");
});

test("beyond loopback, a tool that changes something needs a risk class that somebody gave", () => {
	const given = [rule("charge", { risk: "costly" })];
	const exposed = new ExposureCheck(policyWith(given, "0.0.0.0"));
	const local = new ExposureCheck(policyWith(given));
	const refund = callWith({});
	const charge = callWith({ name: "charge", tool: toolWith({ name: "charge" }) });
	const look = callWith({ name: "look", tool: toolWith({ name: "look", risk: "read" }) });
	assert.equal(exposed.check(refund).kind, "deny");
	assert.equal(exposed.check(callWith({ tool: undefined })).kind, "deny");
	for (const call of [charge, look]) assert.equal(exposed.check(call).kind, "allow");
	assert.equal(
		exposed.check(callWith({ method: "resources/read", tool: undefined })).kind,
		"allow",
	);
	for (const call of [refund, charge, look]) assert.equal(local.check(call).kind, "allow");
	assert.equal(local.mayList, undefined);
	const item = { endpoint: "all", server: "billing", kind: "tool", name: "refund" } as const;
	assert.equal(exposed.mayList?.(refund.principal, { ...item, tool: toolWith({}) }), false);
	assert.equal(
		exposed.mayList?.(refund.principal, { ...item, kind: "prompt", tool: undefined }),
		true,
	);
});
