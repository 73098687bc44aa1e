import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import {
	ana,
	bob,
	callWith,
	eve,
	policyOf,
	ruleWith,
	toolWith,
} from "../../test/support/policy.ts";
import { default_approval, type PolicyPlan, type RulePlan } from "../config/policy-plan.ts";
import { RulesCheck } from "./check-rules.ts";
import { compileRules } from "./rules.ts";

type Changes = Parameters<typeof callWith>[0];

function check(rules: readonly RulePlan[], call: Changes = {}, more: Partial<PolicyPlan> = {}) {
	return new RulesCheck(policyOf({ rules, ...more })).check(callWith(call));
}

/** The rule that denies a call; undefined where it is let pass. */
function denier(rules: readonly RulePlan[], call: Changes = {}): string | undefined {
	const verdict = check(rules, call);
	return verdict.kind === "deny" ? verdict.rule : undefined;
}

test("a rule is about the servers, addresses, methods, tools and risks that it names", () => {
	const about = (changes: Partial<RulePlan>, call: Changes = {}) =>
		denier([ruleWith(changes)], call) !== undefined;
	assert.ok(about({}));
	assert.ok(about({ servers: ["bill*"] }));
	assert.ok(!about({ servers: ["other"] }));
	assert.ok(about({ endpoints: ["all"] }));
	assert.ok(!about({ endpoints: ["support"] }));
	assert.ok(about({ tools: ["billing__refund"] }));
	assert.ok(about({ tools: ["ref*"] }));
	assert.ok(!about({ tools: ["other__refund", "charge"] }));
	assert.ok(about({ risks: ["costly"] }));
	assert.ok(!about({ risks: ["read", "visible"] }));
	assert.ok(about({ methods: ["tools/*"] }));
	assert.ok(!about({ methods: ["prompts/get"] }));
});

test("rules of tools, risks and arguments are about calls of tools only", () => {
	const read = { method: "resources/read", name: "file:///a", tool: undefined };
	assert.equal(denier([ruleWith({})], read), "a rule");
	assert.equal(denier([ruleWith({ risks: ["costly"] })], read), undefined);
	assert.equal(denier([ruleWith({ when: "args.a == 1" })], read), undefined);
	assert.equal(denier([ruleWith({ when: "tool.risk == 'read'" })], read), undefined);
	const named = ruleWith({ methods: ["resources/read"], when: "name.startsWith('file:')" });
	assert.equal(denier([named], read), "a rule");
});

test("a rule that needs to know the tool denies where nobody knows it", () => {
	const unknown = { tool: undefined };
	assert.equal(denier([ruleWith({ risks: ["read"] })], unknown), "a rule");
	assert.equal(denier([ruleWith({ when: "tool.risk == 'read'" })], unknown), "a rule");
	assert.equal(denier([ruleWith({ tools: ["charge"] })], unknown), undefined);
});

test("what is not there denies, whatever the rule would have done", () => {
	for (const then of ["allow", "limit", "ask", "deny"] as const) {
		const rule = ruleWith({ when: "args.amount > 100", then, approval: default_approval });
		const verdict = check([rule]);
		assert.equal(verdict.kind, "deny", then);
		assert.match(verdict.kind === "deny" ? verdict.message : "", /cannot be decided.*amount/);
	}
	const no_args = check([ruleWith({ when: "args.amount > 100" })], { args: undefined });
	assert.equal(no_args.kind, "deny");
});

test("a condition chooses between what is said for true and for false", () => {
	const only_auditors = ruleWith({
		when: "'auditor' in principal.roles",
		then: "pass",
		otherwise: "deny",
	});
	assert.equal(denier([only_auditors], { principal: ana }), undefined);
	assert.equal(denier([only_auditors], { principal: bob }), "a rule");
});

test("arguments that are too large for a rule's loops are denied, not looped over", () => {
	const rule = ruleWith({ when: "args.a.all(x, args.b.all(y, x != y))" });
	const numbers = Array.from({ length: 2_000 }, (_, at) => at);
	assert.equal(denier([rule], { args: { a: [1], b: [1] } }), undefined);
	const verdict = check([rule], { args: { a: numbers, b: numbers } });
	assert.match(verdict.kind === "deny" ? verdict.message : "", /too large/);
	let deep: unknown = 1;
	for (let level = 0; level < 70; level++) deep = level % 2 === 0 ? [deep] : { deep };
	const too_deep = check([ruleWith({ when: "args.a == 1" })], { args: { a: 1, deep } });
	assert.match(too_deep.kind === "deny" ? too_deep.message : "", /too large/);
	// Brackets in a text are no levels.
	const text = "[{".repeat(200);
	assert.equal(denier([ruleWith({ when: "args.a == 1" })], { args: { a: 2, text } }), undefined);
});

const outcome = fc.constantFrom("pass", "allow", "deny", "limit", "ask" as const);
const some_rules = fc.array(fc.tuple(outcome, fc.boolean()), { maxLength: 12 });

test("the first rule that denies wins, wherever it stands and whatever others say", () => {
	fc.assert(
		fc.property(some_rules, (said) => {
			const rules = said.map(([then, holds], at) =>
				ruleWith({
					name: `r${at}`,
					when: holds ? "server == 'billing'" : "server == 'x'",
					then,
					approval: default_approval,
				}),
			);
			const hit = said.findIndex(([then, holds]) => then === "deny" && holds);
			const verdict = check(rules);
			if (hit >= 0) {
				assert.equal(verdict.kind, "deny");
				assert.equal(verdict.kind === "deny" ? verdict.rule : "", `r${hit}`);
				return;
			}
			const asks = said.findIndex(([then, holds]) => then === "ask" && holds);
			assert.equal(verdict.kind, asks >= 0 ? "ask" : "allow");
			if (verdict.kind === "ask") assert.equal(verdict.rule, `r${asks}`);
			// With `default: deny`, one that allows is needed, or a person who agrees.
			const allows = said.some(([then, holds]) => then === "allow" && holds);
			const strict = check(rules, {}, { default: "deny" });
			assert.equal(strict.kind, asks >= 0 ? "ask" : allows ? "allow" : "deny");
		}),
	);
});

test("rules hold for the copy of a server as for the server", () => {
	const originOf = (server: string) => (server === "billing-2" ? "billing" : server);
	const rules = [ruleWith({ tools: ["billing__refund"], when: "server == 'billing'" })];
	const rules_check = new RulesCheck(policyOf({ rules }, "127.0.0.1", originOf));
	assert.equal(rules_check.check(callWith({ server: "billing-2" })).kind, "deny");
	assert.equal(rules_check.check(callWith({ server: "billing-3" })).kind, "allow");
});

test("who is denied everything of a server may use nothing of it", () => {
	const place = { endpoint: "all", server: "billing" };
	const mayUse = (rules: readonly RulePlan[], more: Partial<PolicyPlan> = {}) =>
		new RulesCheck(policyOf({ rules, ...more })).mayUse(ana, place);
	const is_ana = "principal.user == 'ana'";
	const closed = { default: "deny" } as const;
	assert.equal(mayUse([]), true);
	assert.equal(mayUse([ruleWith({})]), false);
	assert.equal(mayUse([ruleWith({ when: is_ana })]), false);
	assert.equal(mayUse([ruleWith({ when: is_ana, methods: ["*"] })]), false);
	assert.equal(mayUse([ruleWith({ when: "principal.user == 'bob'" })]), true);
	// What cannot be decided of anything is denied.
	assert.equal(mayUse([ruleWith({ when: "principal.claims.level > 2.0" })]), false);
	// What depends on what is asked for, on the client or on the time may turn out well.
	for (const when of ["name == 'a'", "method == 'tools/call'", "client.name == 'a'"]) {
		assert.equal(mayUse([ruleWith({ when })]), true, when);
	}
	assert.equal(mayUse([ruleWith({ when: `${is_ana} || name == 'a'` })]), false);
	for (const narrow of [
		{ tools: ["*"] },
		{ methods: ["tools/call"] },
		{ risks: ["read"] as const },
	]) {
		assert.equal(mayUse([ruleWith(narrow)]), true, JSON.stringify(narrow));
	}
	assert.equal(mayUse([ruleWith({ servers: ["other"] })]), true);
	assert.equal(mayUse([ruleWith({ endpoints: ["support"] })]), true);
	// Where only what a rule allows may be, one has to allow something, or people have to agree.
	assert.equal(mayUse([], closed), false);
	assert.equal(mayUse([ruleWith({ then: "allow", when: is_ana, tools: ["a"] })], closed), true);
	assert.equal(mayUse([ruleWith({ then: "allow", servers: ["other"] })], closed), false);
	assert.equal(mayUse([ruleWith({ then: "ask", methods: ["prompts/get"] })], closed), true);
	const tools = [{ pattern: "re*", risk: undefined, scopes: [], approval: default_approval }];
	const servers = { billing: { tools, arguments: "check" as const, reviewed: undefined } };
	assert.equal(mayUse([], { ...closed, servers }), true);
	assert.equal(mayUse([ruleWith({})], { ...closed, servers }), false);
});

test("what a tool's own settings demand is asked for, unless a rule denies", () => {
	const approval = { ...default_approval, count: 2 };
	const tools = [{ pattern: "re*", risk: undefined, scopes: [], approval }];
	const servers = { billing: { tools, arguments: "check" as const, reviewed: undefined } };
	const verdict = check([], {}, { servers, default: "deny" });
	assert.deepEqual(verdict, { kind: "ask", rule: "tools", approval });
	assert.equal(check([], { name: "charge" }, { servers }).kind, "allow");
	assert.equal(check([ruleWith({})], {}, { servers }).kind, "deny");
});

test("where rules and a tool's settings ask, what is stricter holds", () => {
	const approval = { ...default_approval, count: 2, edit: true };
	const tools = [{ pattern: "re*", risk: undefined, scopes: [], approval }];
	const servers = { billing: { tools, arguments: "check" as const, reviewed: undefined } };
	const asking = (name: string, change: Partial<typeof approval>) =>
		ruleWith({ name, then: "ask", approval: { ...default_approval, ...change } });
	const rules = [
		asking("first", { approvers: ["role:lead"] }),
		asking("second", { other_than_caller: true }),
	];
	const expected = {
		...default_approval,
		approvers: ["role:lead"],
		count: 2,
		other_than_caller: true,
	};
	const verdict = check(rules, {}, { servers });
	assert.deepEqual(verdict, { kind: "ask", rule: "first", approval: expected });
	assert.deepEqual(check(rules.toReversed(), {}, { servers }), { ...verdict, rule: "second" });
});

test("a list leaves out exactly what no arguments could allow", () => {
	const listed = (
		rules: readonly RulePlan[],
		who = ana,
		by_default: "allow" | "deny" = "allow",
	) => {
		const rules_check = new RulesCheck(policyOf({ rules, default: by_default }));
		const tool = toolWith({});
		const item = {
			endpoint: "all",
			server: "billing",
			kind: "tool",
			name: "refund",
			tool,
		} as const;
		return rules_check.mayList?.(who, item) ?? true;
	};
	assert.ok(listed([]));
	assert.ok(!listed([], ana, "deny"));
	assert.ok(!listed([ruleWith({})]));
	assert.ok(listed([ruleWith({ when: "args.amount > 100" })]));
	assert.ok(!listed([ruleWith({ when: "principal.tenant == 'evil'" })], eve));
	assert.ok(listed([ruleWith({ when: "principal.tenant == 'evil'" })], ana));
	assert.ok(!listed([ruleWith({ when: "principal.claims.dept == 'x'" })]));
	assert.ok(!listed([ruleWith({ when: "args.a == 1", otherwise: "deny" })]));
	const allows = ruleWith({ when: "args.amount < 10", then: "allow" });
	assert.ok(listed([allows], ana, "deny"));
	assert.ok(listed([ruleWith({ then: "ask", approval: default_approval })], ana, "deny"));
});

test("lists are not filtered where no rule could leave anything out", () => {
	assert.equal(new RulesCheck(policyOf({})).mayList, undefined);
	assert.notEqual(new RulesCheck(policyOf({ default: "deny" })).mayList, undefined);
});

test("a wrong condition is told with its place in the file", () => {
	const when_place = { file: "moorage.yaml", line: 7, column: 20, exact: true };
	const rule = ruleWith({ name: "wrong", when: "principal.rolez == 1", when_place });
	const compiled = compileRules(policyOf({}).plan);
	assert.ok(compiled.ok);
	const wrong = compileRules({ ...policyOf({}).plan, rules: [rule] });
	assert.ok(!wrong.ok);
	assert.deepEqual(wrong.problem, [
		{
			file: "moorage.yaml",
			line: 7,
			column: 30,
			message: "The condition of `wrong` is wrong: No such key: rolez.",
			next: "Correct it; docs/policy.md has what conditions can speak of.",
		},
	]);
});
