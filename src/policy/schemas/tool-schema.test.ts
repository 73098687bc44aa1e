import assert from "node:assert/strict";
import { test } from "node:test";
import { Ajv2020 } from "ajv/dist/2020.js";
import fc from "fast-check";
import { ToolSchema } from "./tool-schema.ts";

function fit(schema: unknown, value: unknown) {
	return new ToolSchema(schema).check(value);
}

function problems(schema: unknown, value: unknown): readonly string[] {
	const outcome = fit(schema, value);
	assert.equal(outcome.kind, "differs", JSON.stringify(outcome));
	return outcome.kind === "differs" ? outcome.problems : [];
}

const issue = {
	type: "object",
	properties: {
		title: { type: "string", minLength: 1, maxLength: 20 },
		labels: { type: "array", items: { type: "string" }, maxItems: 3 },
		state: { enum: ["open", "closed"] },
		owner: { $ref: "#/$defs/person" },
	},
	required: ["title"],
	additionalProperties: false,
	$defs: {
		person: {
			type: "object",
			properties: { name: { type: "string" }, boss: { $ref: "#/$defs/person" } },
			required: ["name"],
		},
	},
};

test("arguments that fit are let pass", () => {
	assert.equal(fit(issue, { title: "a" }).kind, "fits");
	const whole = {
		title: "äöü🙂",
		labels: ["a", "b"],
		state: "open",
		owner: { name: "x", boss: { name: "y" } },
	};
	assert.equal(fit(issue, whole).kind, "fits");
	assert.equal(fit({}, { anything: 1 }).kind, "fits");
	assert.equal(fit({ type: "object" }, {}).kind, "fits");
});

test("what does not fit is told with its place, one problem for each place", () => {
	assert.deepEqual(problems(issue, {}), [
		'The arguments: the value does not have required property "title".',
	]);
	const wrong = problems(issue, {
		title: "",
		labels: ["a", 1],
		owner: { name: "x", boss: {} },
		extra: 1,
	});
	assert.equal(wrong.length, 4);
	assert.match(wrong.join("\n"), /`labels\[1\]`: type "number" is invalid/);
	assert.match(wrong.join("\n"), /And 1 more\./);
	assert.deepEqual(problems(issue, { title: "a", extra: 1 }), ["`extra` is not known."]);
});

test("what callers sent is not repeated in what they are told", () => {
	const value = { title: "secret-".repeat(10), state: "hidden-value" };
	assert.doesNotMatch(problems(issue, value).join(" "), /secret|hidden/);
});

test("formats are notes, and patterns that could take too long are left to the server", () => {
	const schema = {
		properties: {
			mail: { type: "string", format: "email" },
			slow: { type: "string", pattern: "^(a+)+$" },
			quick: { type: "string", pattern: "^a+$" },
		},
	};
	assert.equal(fit(schema, { mail: "nobody", slow: `${"a".repeat(50)}!` }).kind, "fits");
	assert.match(problems(schema, { quick: "b" })[0] ?? "", /`quick`.*pattern/);
});

test("patterns are not tried on texts that are too long for them", () => {
	const schema = { properties: { text: { type: "string", pattern: "^a+b+c+$" } } };
	assert.equal(fit(schema, { text: "a".repeat(100_000) }).kind, "fits");
	assert.equal(fit(schema, { text: "a".repeat(100) }).kind, "differs");
});

test("names that only a pattern allows are allowed where it cannot be tried", () => {
	const pattern = (source: string) => ({
		patternProperties: { [source]: { type: "number" } },
		additionalProperties: false,
	});
	assert.equal(fit(pattern("^x_"), { x_a: 1 }).kind, "fits");
	assert.equal(fit(pattern("^x_"), { x_a: "1" }).kind, "differs");
	assert.equal(fit(pattern("^x_"), { y: 1 }).kind, "differs");
	assert.equal(fit(pattern("(x+)+$"), { y: "1" }).kind, "fits");
});

test("every known dialect is read, an unknown one is not guessed at", () => {
	const tuple = { properties: { pair: { items: [{ type: "number" }, { type: "string" }] } } };
	const draft7 = { $schema: "http://json-schema.org/draft-07/schema#", ...tuple };
	assert.equal(fit(draft7, { pair: [1, "a"] }).kind, "fits");
	assert.equal(fit(draft7, { pair: ["a", 1] }).kind, "differs");
	const draft4 = { $schema: "http://json-schema.org/draft-04/schema#", type: "object" };
	assert.equal(fit(draft4, {}).kind, "fits");
	const today = { properties: { pair: { prefixItems: [{ type: "number" }] } } };
	assert.equal(fit(today, { pair: ["a"] }).kind, "differs");
	const unknown = { $schema: "https://example.com/dialect", type: "object" };
	assert.equal(fit(unknown, {}).kind, "unusable");
	assert.equal(fit({ $schema: 7 }, {}).kind, "unusable");
});

test("what is no schema, or none that can be used, says so and throws nothing", () => {
	for (const schema of [undefined, null, [], "x", 7]) {
		assert.equal(fit(schema, {}).kind, "unusable", JSON.stringify(schema));
	}
	for (const schema of [
		{ $ref: "https://example.com/other.json" },
		{ $ref: "#/$defs/nothing" },
		{ properties: { a: { items: Array.from({ length: 30_000 }, () => true) } } },
	]) {
		assert.equal(fit(schema, { a: 1 }).kind, "unusable", JSON.stringify(schema).slice(0, 80));
	}
	const odd = { type: 7, properties: "no", required: "yes", enum: 3, allOf: {}, pattern: 9 };
	assert.ok(["unusable", "differs", "fits"].includes(fit(odd, { a: 1 }).kind));
});

test("a schema that refers to itself without end, or grows without end, is given up", () => {
	assert.equal(fit({ $ref: "#" }, {}).kind, "too_large");
	const doubling: Record<string, unknown> = {};
	for (let at = 0; at < 40; at++) {
		const next = { $ref: `#/$defs/d${at + 1}` };
		doubling[`d${at}`] = { allOf: [next, next] };
	}
	doubling["d40"] = { type: "object" };
	assert.equal(fit({ $ref: "#/$defs/d0", $defs: doubling }, {}).kind, "too_large");
	const tree = { properties: { x: { allOf: [{ $ref: "#" }, { $ref: "#" }] } } };
	let value: unknown = {};
	for (let level = 0; level < 60; level++) value = { x: value };
	assert.equal(fit(tree, value).kind, "too_large");
});

test("arguments that are nested or numerous beyond reason are refused in time", () => {
	const schema = { properties: { a: { not: { type: "number" } } } };
	let deep: unknown = 1;
	for (let level = 0; level < 5_000; level++) deep = [deep];
	assert.equal(fit(schema, { a: deep }).kind, "too_large");
	const many = { a: Array.from({ length: 300_000 }, () => 1) };
	assert.equal(fit(schema, many).kind, "too_large");
	const items = { properties: { a: { items: { oneOf: [{ type: "number" }, { type: "null" }] } } } };
	assert.equal(fit(items, { a: Array.from({ length: 60_000 }, () => 1) }).kind, "too_large");
	const unique = { properties: { a: { uniqueItems: true } } };
	const list = Array.from({ length: 50_000 }, () => 1);
	assert.equal(fit(unique, { a: list }).kind, "fits");
	assert.equal(fit(unique, { a: [1, 2, 1] }).kind, "differs");
});

test("names that every object has are no keywords and no members", () => {
	const schema = JSON.parse(
		'{"properties":{"__proto__":{"type":"string"}},"required":["toString"]}',
	);
	assert.equal(fit(schema, {}).kind, "differs");
	assert.equal(fit(schema, JSON.parse('{"toString":1}')).kind, "fits");
	assert.equal(
		fit({ additionalProperties: false, properties: {} }, { constructor: 1 }).kind,
		"differs",
	);
});

/** Schemas of the kind that tools have, at random, and values that nearly fit them. */
const word = fc.constantFrom("a", "b", "c");
const plain = fc.oneof(
	fc.constantFrom(null, true, false, "", "a", "ab", "🙂"),
	fc.integer({ min: -3, max: 3 }),
	fc.constantFrom(0.5, 2.5),
);
const { value } = fc.letrec<{ value: unknown }>((tie) => ({
	value: fc.oneof(
		{ maxDepth: 3 },
		plain,
		fc.array(tie("value"), { maxLength: 4 }),
		fc.dictionary(word, tie("value"), { maxKeys: 3 }),
	),
}));
const { schema: any_schema } = fc.letrec<{ schema: unknown }>((tie) => ({
	schema: fc.oneof(
		{ maxDepth: 3 },
		fc.constantFrom(
			{ type: "string" },
			{ type: "integer" },
			{ type: ["number", "null"] },
			{ type: "boolean" },
			{ const: "a" },
			{ enum: [1, "a", null] },
			{ type: "number", minimum: 0, exclusiveMaximum: 2 },
			{ type: "string", minLength: 1, maxLength: 2 },
			{ pattern: "^a" },
			true,
			false,
			{},
		),
		fc.record(
			{
				type: fc.constant("object"),
				properties: fc.dictionary(word, tie("schema"), { maxKeys: 3 }),
				required: fc.uniqueArray(word, { maxLength: 2 }),
				additionalProperties: fc.oneof(fc.boolean(), tie("schema")),
				minProperties: fc.nat(2),
			},
			{ requiredKeys: ["type"] },
		),
		fc.record(
			{
				type: fc.constant("array"),
				items: tie("schema"),
				prefixItems: fc.array(tie("schema"), { minLength: 1, maxLength: 2 }),
				minItems: fc.nat(2),
				maxItems: fc.nat(3),
				uniqueItems: fc.boolean(),
			},
			{ requiredKeys: ["type"] },
		),
		fc.record({ anyOf: fc.array(tie("schema"), { minLength: 1, maxLength: 3 }) }),
		fc.record({ allOf: fc.array(tie("schema"), { minLength: 1, maxLength: 3 }) }),
		fc.record({ oneOf: fc.array(tie("schema"), { minLength: 1, maxLength: 3 }) }),
		fc.record({ not: tie("schema") }),
		fc.record({ if: tie("schema"), then: tie("schema"), else: tie("schema") }),
	),
}));

test("another validator says the same", () => {
	const other = new Ajv2020({ strict: false, validateFormats: false });
	fc.assert(
		fc.property(any_schema, value, (schema, given) => {
			const wrapped = { type: "object", properties: { a: schema as object } };
			// The library takes an empty list and an empty object for the same item.
			const text = JSON.stringify(given);
			fc.pre(!text.includes("[]") || !text.includes("{}"));
			const plain_value: unknown = JSON.parse(text);
			const outcome = fit(wrapped, { a: plain_value });
			const expected = other.validate(wrapped, { a: plain_value }) ? "fits" : "differs";
			assert.equal(outcome.kind, expected, JSON.stringify({ schema, given, outcome }));
		}),
		{ numRuns: 1_500 },
	);
});
