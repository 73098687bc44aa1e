import assert from "node:assert/strict";
import { test } from "node:test";
import { callWith, policyOf, ruleWith } from "../../test/support/policy.ts";
import { default_approval } from "../config/policy-plan.ts";
import type { Check } from "./check.ts";
import { RulesCheck } from "./check-rules.ts";
import { explain } from "./explain.ts";

const rules = [
	ruleWith({ name: "elsewhere", servers: ["other"] }),
	ruleWith({ name: "small", when: "args.amount < 100", then: "pass", otherwise: "deny" }),
	ruleWith({ name: "asked", risks: ["costly"], then: "ask", approval: default_approval }),
	ruleWith({ name: "reads", risks: ["read"] }),
];
const policy = policyOf({ rules });
const checks = [new RulesCheck(policy)];

test("every rule says whether it is about a call, and what it makes of it", async () => {
	const answer = await explain(policy, checks, callWith({ args: { amount: 500 } }));
	assert.equal(answer.decision, "deny");
	assert.equal(answer.rule, "small");
	assert.match(answer.message ?? "", /"small" does not allow/);
	const said = answer.rules.map(({ name, about, holds, outcome }) => [name, about, holds, outcome]);
	assert.deepEqual(said, [
		["elsewhere", false, undefined, "pass"],
		["small", true, false, "deny"],
		["asked", true, true, "ask"],
		["reads", true, undefined, "pass"],
	]);
	assert.match(answer.rules[3]?.note ?? "", /other risks/);
});

test("a call that needs a person is not denied, and one that cannot be decided is", async () => {
	const asked = await explain(policy, checks, callWith({ args: { amount: 1 } }));
	assert.deepEqual([asked.decision, asked.rule], ["ask", "asked"]);
	const undecided = await explain(policy, checks, callWith({ args: {} }));
	assert.equal(undecided.decision, "deny");
	assert.match(undecided.rules[1]?.note ?? "", /No such key: amount/);
});

test("a question counts nothing", async () => {
	let asked = 0;
	let done = 0;
	const counting: Check = { name: "limits", check: () => assert.fail("a question is no call") };
	const holding: Check = {
		name: "holds",
		check: () => {
			asked += 1;
			return { kind: "allow" };
		},
		done: () => {
			done += 1;
		},
	};
	const answer = await explain(policyOf({}), [counting, holding], callWith({}));
	assert.equal(answer.decision, "allow");
	assert.deepEqual([asked, done], [1, 1]);
});
