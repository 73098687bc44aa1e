import assert from "node:assert/strict";
import { test } from "node:test";
import { ana, bob, callWith, policyOf, ruleWith } from "../../test/support/policy.ts";
import type { PolicyPlan } from "../config/policy-plan.ts";
import { default_approval } from "../config/policy-plan.ts";
import { ArgumentsCheck } from "./check-arguments.ts";
import { RulesCheck } from "./check-rules.ts";
import { ScopesCheck } from "./check-scopes.ts";
import { foresee } from "./foresee.ts";

function asked(plan: Partial<PolicyPlan>, principal = ana) {
	const policy = policyOf(plan);
	const checks = [new ScopesCheck(policy), new RulesCheck(policy), new ArgumentsCheck(policy)];
	const call = { ...callWith({ principal }), args: () => undefined, arguments_raw: undefined };
	return foresee(policy, checks, call);
}

test("without rules everybody may, or nobody, as the configuration says by default", async () => {
	assert.deepEqual(await asked({}), { answer: "yes", because: [] });
	const none = await asked({ default: "deny" });
	assert.equal(none.answer, "no");
	assert.match(none.because[0] ?? "", /No rule allows it/);
});

test("a rule about people decides for each of them", async () => {
	const rules = [
		ruleWith({ name: "auditors", when: '"auditor" in principal.roles', then: "allow" }),
	];
	const plan = { rules, default: "deny" as const };
	assert.equal((await asked(plan, ana)).answer, "yes");
	assert.equal((await asked(plan, bob)).answer, "no");
});

test("a condition on arguments is said to be one, and not decided", async () => {
	const rules = [
		ruleWith({ name: "small", when: "args.amount < 100", then: "pass", otherwise: "deny" }),
	];
	assert.deepEqual(await asked({ rules }), {
		answer: "depends",
		because: ['The rule "small" looks at the arguments: pass, or else deny.'],
	});
});

test("a rule that denies whatever the arguments are wins over what depends", async () => {
	const rules = [
		ruleWith({ name: "small", when: "args.amount < 100", then: "pass", otherwise: "deny" }),
		ruleWith({ name: "never", when: 'principal.tenant == "acme"' }),
	];
	const { answer, because } = await asked({ rules });
	assert.equal(answer, "no");
	assert.deepEqual(because, ['The rule "never" denies it.']);
});

test("what a person has to agree to is said so, also where nothing else allows it", async () => {
	const rules = [ruleWith({ name: "big", then: "ask", approval: default_approval })];
	const { answer, because } = await asked({ rules, default: "deny" });
	assert.equal(answer, "asks");
	assert.deepEqual(because, ['The rule "big" wants a person asked.']);
});

test("a limit is no refusal, and is told", async () => {
	const rules = [
		ruleWith({ name: "few", then: "limit", limit: { calls: 1, within_ms: 1 } as never }),
	];
	const { answer, because } = await asked({ rules });
	assert.equal(answer, "yes");
	assert.match(because[0] ?? "", /limit of the rule "few"/);
});

test("a credential that lacks a scope is refused, whatever the rules say", async () => {
	const servers = {
		billing: { tools: [{ pattern: "*", scopes: ["pay"] }], arguments: "check" },
	} as never;
	const limited = { ...ana, scopes: ["read"] };
	const { answer, because } = await asked({ servers }, limited);
	assert.equal(answer, "no");
	assert.match(because[0] ?? "", /"pay"/);
});
