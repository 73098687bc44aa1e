import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { callWith } from "../../test/support/policy.ts";
import { principalOf } from "../identity/principal.ts";
import { environment, runOf } from "./cel-environment.ts";
import { type Facts, factsOf } from "./facts.ts";
import { type QuickCondition, quickConditionOf } from "./quick-condition.ts";

const who = principalOf("acme", "ana", {
	roles: ["auditor", "staff"],
	claims: { team: "x", level: 3, groups: ["a", "b"], odd: { constructor: 1 } },
});
const now_ms = Date.UTC(2026, 5, 14, 21, 30, 15, 250);

function factsWith(args: unknown): Facts {
	const facts = factsOf(callWith({ principal: who, now_ms }));
	facts.args = args;
	return facts;
}

function quick(text: string): QuickCondition | undefined {
	return quickConditionOf(environment.parse(text).ast, runOf);
}

/** What the library says; "error" where it fails, or says neither true nor false. */
function said(text: string, facts: Facts): boolean | "error" {
	try {
		const value: unknown = environment.parse(text)(facts);
		return typeof value === "boolean" ? value : "error";
	} catch {
		return "error";
	}
}

/** Values of arguments, among them some that are hard to tell the type of. */
const scalar = fc.constantFrom(
	...["", "a", "b", "secret", "Ünïcödé 🙂", "2026-01-01T00:00:00Z", 0, -0, 1, 2, 3, 120, 0.5, -1],
	...[2 ** 53, true, false, null],
);
const name = fc.constantFrom("a", "b", "c", "constructor", "__proto__", "toString", "0");
const { value } = fc.letrec<{ value: unknown }>((tie) => ({
	value: fc.oneof(
		{ maxDepth: 3 },
		{ weight: 4, arbitrary: scalar },
		{ weight: 1, arbitrary: fc.array(tie("value"), { maxLength: 3 }) },
		{
			weight: 2,
			// As JSON makes them: `__proto__` is a member like any other.
			arbitrary: fc
				.array(fc.tuple(name, tie("value")), { maxLength: 3 })
				.map((members) => Object.fromEntries(members)),
		},
	),
}));
const args = fc.oneof(
	{ weight: 9, arbitrary: fc.record({ a: value, b: value, c: value }, { requiredKeys: [] }) },
	{ weight: 1, arbitrary: value },
);

const known = fc.constantFrom(
	...["name", "server", "method", "principal.user", "principal.client", "principal.claims.team"],
	...["principal.claims.level", "principal.scopes", "tool.risk", "client.era", "client.name"],
	...["principal.claims.nothing", "principal.claims.odd", "principal.roles[0]", "principal.roles"],
	...["tool.annotations.a", "principal.claims.groups", "principal.claims"],
);
const literal = fc.constantFrom(
	...["'a'", "'b'", "''", "'secret'", "'acme'", "0", "1", "2", "3", "120", "-1", "0.5", "1.0"],
	...["9007199254740993", "true", "false", "null", "['a', 'b']", "[1, 2]", "[1, 'a']", "[1.0, 2]"],
	...["[]", "{'a': 1}", "1u", "b'a'", "1 + 1", "size('ab')", "duration('1h')", "[[1], [2]]"],
);
const time = fc.constantFrom(
	...["time < timestamp('2026-07-01T00:00:00Z')", "time >= timestamp(1781000000)"],
	...["time.getHours() == 21", "time.getHours('Europe/Berlin') == 23", "time.getMonth() < 5"],
	...["time.getHours('Nowhere') == 1", "time.getDayOfWeek() in [0, 6]", "time.getDate() > 3"],
	...["time == timestamp('2026-06-14T21:30:15.25Z')", "time - duration('1h') < time"],
);

/** Expressions at random; many are refused when they are checked, as those of people are. */
const { condition } = fc.letrec<{ condition: string; term: string }>((tie) => {
	const term = tie("term");
	const inner = tie("condition");
	return {
		term: fc.oneof(
			{ maxDepth: 3, withCrossShrink: true },
			{ weight: 3, arbitrary: fc.constantFrom("args.a", "args.b", "args.c", "args", "x", "y") },
			{ weight: 3, arbitrary: literal },
			{ weight: 2, arbitrary: known },
			fc.tuple(term, name).map(([of, member]) => `${of}.${member}`),
			fc.tuple(term, literal).map(([of, at]) => `${of}[${at}]`),
			term.map((of) => `size(${of})`),
			fc
				.tuple(term, fc.constantFrom("size", "trim", "lowerAscii", "upperAscii"))
				.map(([of, method]) => `${of}.${method}()`),
			fc.tuple(inner, term, term).map(([test, a, b]) => `(${test} ? ${a} : ${b})`),
		),
		condition: fc.oneof(
			{ maxDepth: 4, withCrossShrink: true },
			{
				weight: 6,
				arbitrary: fc
					.tuple(term, fc.constantFrom("==", "!=", "<", "<=", ">", ">=", "in"), term)
					.map(([a, op, b]) => `${a} ${op} ${b}`),
			},
			{ weight: 1, arbitrary: term },
			{ weight: 1, arbitrary: time },
			fc
				.tuple(term, fc.constantFrom("startsWith", "endsWith", "contains", "matches"), term)
				.map(([a, method, b]) => `${a}.${method}(${b})`),
			term.map((of) => `${of}.matches('^[a-c]+$')`),
			fc
				.tuple(fc.constantFrom("args", "args.a", "x", "principal", "principal.claims"), name)
				.map(([of, member]) => `has(${of}.${member})`),
			fc
				.tuple(
					term,
					fc.constantFrom("exists", "all", "exists_one", "filter"),
					fc.constantFrom("x", "y", "name", "args", "principal"),
					inner,
				)
				.map(([of, macro, variable, test]) => `${of}.${macro}(${variable}, ${test})`),
			fc.tuple(inner, inner).map(([a, b]) => `(${a}) && (${b})`),
			fc.tuple(inner, inner).map(([a, b]) => `(${a}) || (${b})`),
			inner.map((a) => `!(${a})`),
		),
	};
});

test("it never says anything else than the library", () => {
	let sure = 0;
	fc.assert(
		fc.property(condition, fc.array(args, { minLength: 1, maxLength: 4 }), (text, all) => {
			if (!environment.check(text).valid) return;
			const evaluate = quick(text);
			for (const one of all) {
				const facts = factsWith(one);
				const found = evaluate?.(facts);
				if (found === undefined) continue;
				sure += 1;
				assert.equal(found, said(text, facts), `${text} over ${JSON.stringify(one)}`);
			}
		}),
		{ numRuns: 4_000 },
	);
	assert.ok(sure > 500, `it was sure only ${sure} times`);
});

test("it is sure of what conditions are mostly made of", () => {
	const call = { a: "text", b: 5, c: { list: ["x", "y"], deep: { on: true } }, items: [{ n: 1 }] };
	const facts = factsWith(call);
	for (const [text, wanted] of [
		["args.a == 'text'", true],
		["args.b > 1000", false],
		["args.b != 5", false],
		["'y' in args.c.list", true],
		["args.a in ['text', 'other']", true],
		["args.b in [1, 2, 3]", false],
		["args.c.list.exists(x, x == 'secret')", false],
		["args.items.all(x, x.n < 2)", true],
		["has(args.state) && args.state == 'locked'", false],
		["args.c.deep.on ? args.b == 5 : false", true],
		["args['a'].contains('ex') && args.c.list[1] == 'y'", true],
		["size(args.a) > 4096 || size(args.c.list) == 2", true],
		["args.a.matches('^t.x')", true],
		["args.a.lowerAscii().startsWith('te')", true],
		["args.b > 100 && principal.tenant == 'acme'", false],
		["!('auditor' in principal.roles) && args.b > 1", false],
		["name.startsWith('delete_')", false],
		["tool.risk == 'costly' && client.era == 'modern'", true],
		["principal.claims.level >= 3", true],
		["time < timestamp('2020-01-01T00:00:00Z')", false],
		["time.getHours('Europe/Berlin') < 18 && time.getDayOfWeek() == 0", false],
	] as const) {
		assert.equal(said(text, facts), wanted, text);
		assert.equal(quick(text)?.(facts), wanted, text);
	}
});

test("it leaves to the library what it does not know for sure", () => {
	const facts = factsWith({ a: { constructor: 1 }, list: [["x"]], big: 1 });
	for (const text of [
		"args.missing == 1",
		"args.a.b == 1",
		"args.list[0] == ['x']",
		"args.list.exists(x, x.exists(y, y == 'x'))",
		"args.big < 9007199254740993",
		"args.?a.orValue(1) == 1",
	]) {
		assert.equal(quick(text)?.(facts), undefined, text);
	}
});

test("a time zone is looked up once a second, and the second that it is counts", () => {
	const evaluate = quick("time.getMinutes('Asia/Kolkata') == 0");
	const text = "time.getMinutes('Asia/Kolkata') == 0";
	for (const at_ms of [now_ms, now_ms - 15_250, now_ms - 15_251, now_ms - 15_250 + 59_999]) {
		const facts = factsOf(callWith({ now_ms: at_ms }));
		assert.equal(evaluate?.(facts), said(text, facts), String(at_ms));
	}
});
