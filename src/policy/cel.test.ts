import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { ana, callWith, toolWith } from "../../test/support/policy.ts";
import { type Condition, type Foreseen, parseCondition } from "./cel.ts";
import { factsOf, factsOfListed, unknown_when_listed } from "./facts.ts";

function condition(text: string): Condition {
	const parsed = parseCondition(text);
	assert.ok(parsed.ok, parsed.ok ? "" : parsed.problem.message);
	return parsed.value;
}

function evaluate(text: string, args: unknown = {}): boolean | string {
	const facts = factsOf(callWith({ args }));
	facts.args = args;
	const value = condition(text).evaluate(facts);
	return value.ok ? value.value : value.problem;
}

function problem(text: string) {
	const parsed = parseCondition(text);
	assert.ok(!parsed.ok, `${text} is fine`);
	return parsed.problem;
}

test("conditions speak of who calls what, when and with what", () => {
	for (const text of [
		"'auditor' in principal.roles",
		"principal.tenant == 'acme' && principal.user == 'ana'",
		"principal.client == 'key:a'",
		"principal.scopes == null",
		"client.era == 'modern' && client.name == 'a client'",
		"server == 'billing' && endpoint == 'all' && name == 'refund'",
		"method == 'tools/call'",
		"tool.risk == 'costly' && tool.name.startsWith('re')",
		"time > timestamp('2026-01-01T00:00:00Z') && time.getHours('Europe/Berlin') == 13",
	]) {
		assert.equal(evaluate(text), true, text);
	}
});

test("numbers of arguments are compared with whole and broken numbers alike", () => {
	const args = { amount: 120, share: 0.5, list: [1, 2, 3] };
	for (const text of [
		"args.amount > 100",
		"args.amount == 120",
		"args.share < 1.0",
		"args.amount in [120, 121]",
		"args.list.exists(x, x == 2)",
		"size(args.list) == 3",
		"args == {'amount': 120, 'share': 0.5, 'list': [1, 2, 3]}",
	]) {
		assert.equal(evaluate(text, args), true, text);
	}
});

test("what is missing is a problem, unless the rest decides or it was asked for", () => {
	assert.match(String(evaluate("args.amount > 100")), /No such key: amount/);
	assert.match(String(evaluate("principal.claims.dept == 'x'")), /No such key: dept/);
	assert.match(String(evaluate("args.a.b.c == 1", { a: null })), /No such key|no such/i);
	assert.equal(evaluate("has(args.amount) && args.amount > 100"), false);
	assert.equal(evaluate("args.amount > 100 || principal.user == 'ana'"), true);
	assert.equal(evaluate("args.?amount.orValue(500) > 100"), true);
});

test("what every object has in JavaScript is no member of the arguments", () => {
	for (const name of ["constructor", "__proto__", "toString", "hasOwnProperty"]) {
		assert.match(String(evaluate(`args.${name} == null`)), /No such key/, name);
	}
});

test("a condition that is not true or false denies, when it is read or when it is used", () => {
	assert.match(problem("principal.user").message, /of type string/);
	assert.match(problem("1 + 2").message, /of type int/);
	assert.match(String(evaluate("args.flag", { flag: "yes" })), /not true or false/);
	assert.equal(evaluate("args.flag", { flag: true }), true);
});

test("mistakes are told with the place they are at", () => {
	assert.deepEqual(problem("principal.rolez == 1"), {
		message: "No such key: rolez.",
		index: 10,
	});
	assert.deepEqual(problem("server == 'a' &&").index, 16);
	assert.deepEqual(problem("true && nobody == 1"), {
		message: "Unknown variable: nobody.",
		index: 8,
	});
	assert.match(problem("server == 3").message, /no such overload: string == int/);
	assert.match(problem("time > 3").message, /no such overload/);
});

test("a condition cannot be made to take long", () => {
	assert.match(problem("name.matches('(a+)+$')").message, /could take very long/);
	assert.match(problem("name.matches(args.pattern)").message, /a text in quotes/);
	const nested = "args.a.all(b, b.all(c, c.all(d, d.all(e, e > 1))))";
	assert.match(problem(nested).message, /loops within loops/);
	assert.notEqual(parseCondition(`${"(".repeat(200)}true${")".repeat(200)}`), undefined);
	assert.ok(!parseCondition(Array.from({ length: 2_000 }, () => "true").join(" && ")).ok);
	assert.equal(condition("args.a.all(b, b > 1)").bounds.items, 1_000_000);
	assert.equal(condition("args.a.all(b, b.all(c, c > 1))").bounds.items, 1_000);
	assert.equal(condition("name.matches('^a+b+$')").bounds.chars, 3_162);
});

test("a pattern is never tried on a text that it would take long with, wherever that stands", () => {
	// Three parts that take up any text: it may be given no more than some hundred characters.
	const pattern = "matches('^.*delete.*prod.*$')";
	const long = "delete".repeat(40_000);
	const claims = { note: long };
	const of_claims = `principal.claims.note.${pattern}`;
	const cases = [
		[`name.${pattern}`, { name: long }],
		[`method.${pattern}`, { method: long }],
		[of_claims, { principal: { ...ana, claims } }],
		[`principal.user.${pattern}`, { principal: { ...ana, user: long } }],
		[`principal.roles.exists(r, r.${pattern})`, { principal: { ...ana, roles: [long] } }],
		[`client.name.${pattern}`, { client: { ...callWith({}).client, name: long } }],
		[`tool.name.${pattern}`, { tool: toolWith({ name: long }) }],
		[`tool.annotations.title.${pattern}`, { tool: toolWith({ annotations: { title: long } }) }],
	] as const;
	for (const [text, changes] of cases) {
		const facts = factsOf(callWith(changes));
		const read = condition(text);
		const value = read.evaluate(facts);
		assert.ok(!value.ok, text);
		assert.match(value.problem, /^`[a-z.]+` has a text that is too long for it\.$/);
		assert.equal(read.foresee(facts, new Set()), "error", text);
	}
	// What no pattern looks at may be long.
	const facts = factsOf(callWith({ principal: { ...ana, claims }, name: "delete prod" }));
	assert.deepEqual(condition(`name.${pattern}`).evaluate(facts), { ok: true, value: true });
	const by_user = condition(`principal.user.${pattern} || name == 'delete prod'`);
	assert.deepEqual(by_user.evaluate(facts), { ok: true, value: true });
});

test("no text that is no condition throws", () => {
	fc.assert(
		fc.property(fc.string(), (text) => {
			const parsed = parseCondition(text);
			if (!parsed.ok) assert.ok(parsed.problem.message.length > 0);
		}),
	);
});

const item = { endpoint: "all", server: "billing", kind: "tool", name: "refund" } as const;

function foresee(text: string): Foreseen {
	const facts = factsOfListed(ana, { ...item, tool: undefined }, "tools/call");
	return condition(text).foresee(facts, unknown_when_listed);
}

test("what does not depend on the call itself is known beforehand", () => {
	assert.equal(foresee("'auditor' in principal.roles"), true);
	assert.equal(foresee("'auditor' in principal.roles && args.amount > 1"), "unknown");
	assert.equal(foresee("'boss' in principal.roles && args.amount > 1"), false);
	assert.equal(foresee("'auditor' in principal.roles || args.amount > 1"), true);
	assert.equal(foresee("!(args.amount > 1 || server == 'billing')"), false);
	assert.equal(foresee("(server == 'x') == (name == 'y')"), "unknown");
	assert.equal(foresee("server == 'x' ? args.a == 1 : principal.user == 'ana'"), true);
	assert.equal(foresee("args.a == 1 ? server == 'billing' : principal.user == 'ana'"), true);
	assert.equal(foresee("time.getHours() < 8"), "unknown");
	assert.equal(foresee("client.name == 'x'"), "unknown");
});

test("what is missing whatever the call is, is known to be", () => {
	assert.equal(foresee("principal.claims.dept == 'x'"), "error");
	assert.equal(foresee("principal.claims.dept == 'x' || server == 'billing'"), true);
	assert.equal(foresee("principal.claims.dept == 'x' && args.a == 1"), "unknown");
	assert.equal(foresee("!(principal.claims.dept == 'x')"), "error");
});

/** Conditions over one argument and things that are known, at random. */
const leaf = fc.constantFrom(
	"args.a == 1",
	"args.b == 1",
	"server == 'billing'",
	"server == 'x'",
	"principal.claims.dept == 'x'",
);
const { tree } = fc.letrec<{ tree: string }>((tie) => ({
	tree: fc.oneof(
		{ maxDepth: 4 },
		leaf,
		fc.tuple(tie("tree"), tie("tree")).map(([a, b]) => `(${a} && ${b})`),
		fc.tuple(tie("tree"), tie("tree")).map(([a, b]) => `(${a} || ${b})`),
		tie("tree").map((a) => `!(${a})`),
	),
}));

test("what is foreseen is what comes, whatever the arguments are", () => {
	const some = fc.record(
		{ a: fc.constantFrom(1, 2), b: fc.constantFrom(1, 2) },
		{ requiredKeys: [] },
	);
	fc.assert(
		fc.property(tree, some, (text, args) => {
			const foreseen = foresee(text);
			if (foreseen === "unknown") return;
			const came = evaluate(text, args);
			if (foreseen === "error") assert.equal(typeof came, "string", text);
			else assert.equal(came, foreseen, text);
		}),
		{ numRuns: 300 },
	);
});
