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
import type { RulePlan } from "../config/policy-plan.ts";
import { judge } from "./judge.ts";
import { verdicts } from "./question.ts";
import { targetOf } from "./rules.ts";

const conditions = [
	"principal.tenant == 'acme'",
	"'auditor' in principal.roles",
	"client.name == 'a client'",
	"client.version == '1.0'",
	"server == 'billing'",
	"endpoint == 'all'",
	"name == 'refund'",
	"tool.risk == 'costly'",
	"args.amount > 10",
	"time < timestamp('2026-06-01T00:00:00Z')",
	"principal.claims.team == 'x'",
] as const;

const rule = fc
	.record({
		when: fc.constantFrom(...conditions, undefined),
		then: fc.constantFrom("deny", "allow", "limit", "pass" as const),
		risks: fc.constantFrom([], ["costly"], ["read"]),
		methods: fc.constantFrom(undefined, ["tools/call"], ["resources/read"]),
	})
	.map((changes) => ruleWith(changes as Partial<RulePlan>));

const tools = [undefined, toolWith({}), toolWith({ risk: "read" }), toolWith({ name: "charge" })];
const call = fc.record({
	principal: fc.constantFrom(ana, bob, eve),
	tool: fc.constantFrom(...tools),
	name: fc.constantFrom("refund", "charge"),
	method: fc.constantFrom("tools/call", "resources/read"),
	server: fc.constantFrom("billing", "files"),
	endpoint: fc.constantFrom("all", "support"),
	args: fc.constantFrom({}, { amount: 1 }, { amount: 100 }),
	client_name: fc.constantFrom("a client", "another"),
	version: fc.constantFrom("1.0", "2.0"),
	now_ms: fc.constantFrom(Date.UTC(2026, 1, 1), Date.UTC(2026, 10, 1)),
});

test("what is remembered of rules decides as asking every rule anew would", () => {
	fc.assert(
		fc.property(
			fc.array(rule, { maxLength: 6 }),
			fc.array(call, { minLength: 1, maxLength: 30 }),
			(plans, calls) => {
				// Rules of one name would be told apart by nobody.
				const rules = plans.map((plan, at) => ({ ...plan, name: `rule ${at}` }));
				const { foregone, book } = policyOf({ rules });
				for (const { client_name, version, ...changes } of calls) {
					const client = { ...callWith({}).client, name: client_name, version };
					const asked = callWith({ ...changes, client });
					const said = verdicts(book.about(targetOf(asked)), asked);
					const denying = said.findIndex(({ outcome }) => outcome === "deny");
					const before = denying < 0 ? said : said.slice(0, denying);
					const judged = judge(foregone, asked);
					assert.deepEqual(judged.denied, denying < 0 ? undefined : said[denying]);
					const of = (wanted: string) =>
						before.flatMap((one) => (one.outcome === wanted ? one.rule : []));
					assert.deepEqual(judged.limits, of("limit"));
					assert.equal(judged.allowed, of("allow").length > 0);
				}
			},
		),
	);
});

test("rules that say the same of every call of somebody are asked once", () => {
	const { foregone } = policyOf({
		rules: [ruleWith({ when: "principal.tenant == 'evil'" }), ruleWith({ when: "args.a == 1" })],
	});
	const [first, second] = [callWith({}), callWith({ args: { a: 2 } })];
	assert.equal(foregone.stepsOf(first).length, 1);
	assert.equal(foregone.stepsOf({ ...second, tool: first.tool }), foregone.stepsOf(first));
	assert.notEqual(foregone.stepsOf({ ...second, tool: undefined }), foregone.stepsOf(first));
});
