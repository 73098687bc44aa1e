import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { type SchemaUse, schemaBreaks } from "./schema-breaks.ts";

function sentences(before: unknown, after: unknown, use: SchemaUse = "input"): string[] {
	return schemaBreaks(before, after, use).map(({ at, what }) => `${at} ${what}`);
}

function object(properties: object, required: readonly string[] = []) {
	return { type: "object", properties, required };
}

const city = { type: "string" };

test("a further property that need not be given breaks nothing", () => {
	assert.deepEqual(sentences(object({ city }), object({ city, country: city })), []);
});

test("a property that must be given now breaks callers", () => {
	const after = object({ city, country: city }, ["country"]);
	assert.deepEqual(sentences(object({ city }), after), ["country is required now"]);
});

test("a property that is gone breaks callers, and one that need no longer be given does not", () => {
	assert.deepEqual(sentences(object({ city }), object({})), ["city is gone"]);
	assert.deepEqual(sentences(object({ city }, ["city"]), object({ city })), []);
});

test("a narrower type breaks callers, a wider one does not", () => {
	const [whole, number] = [{ type: "integer" }, { type: "number" }];
	assert.deepEqual(sentences(object({ a: number }), object({ a: whole })), [
		"a was number and is integer",
	]);
	assert.deepEqual(sentences(object({ a: whole }), object({ a: number })), []);
	assert.deepEqual(sentences(object({ a: {} }), object({ a: whole })), [
		"a was of any type and is integer",
	]);
	assert.deepEqual(sentences(object({ a: whole }), object({ a: {} })), []);
});

test("values that are no longer taken break callers", () => {
	const before = object({ unit: { enum: ["C", "F", "K"] } });
	const after = object({ unit: { enum: ["C"] } });
	assert.deepEqual(sentences(before, after), ['unit no longer takes "F", "K"']);
	assert.deepEqual(sentences(after, before), []);
	assert.deepEqual(sentences(object({ unit: {} }), after), ["unit no longer takes every value"]);
});

test("for what comes out it is the other way round", () => {
	assert.deepEqual(sentences(object({ city }, ["city"]), object({ city }), "output"), [
		"city may be missing now",
	]);
	assert.deepEqual(sentences(object({ city }), object({ city }, ["city"]), "output"), []);
	const [whole, number] = [{ type: "integer" }, { type: "number" }];
	assert.deepEqual(sentences(object({ a: whole }), object({ a: number }), "output"), [
		"a was integer and is number",
	]);
	assert.deepEqual(sentences(object({ a: number }), object({ a: whole }), "output"), []);
});

test("what lies deeper is named by its path", () => {
	const before = object({ filter: object({ tags: { type: "array", items: city } }) });
	const after = object({ filter: object({ tags: { type: "array", items: { type: "number" } } }) });
	assert.deepEqual(sentences(before, after), ["filter.tags.[] was string and is number"]);
});

const schema = fc.letrec<{ node: object }>((tie) => ({
	node: fc.oneof(
		{ depthSize: "small" },
		fc.constant({}),
		fc.record({ type: fc.constantFrom("string", "number", "integer", "boolean", "object") }),
		fc.record({ enum: fc.array(fc.constantFrom("a", "b", 1), { minLength: 1 }) }),
		fc.record({
			type: fc.constant("object"),
			properties: fc.dictionary(fc.constantFrom("a", "b", "c"), tie("node")),
			required: fc.uniqueArray(fc.constantFrom("a", "b", "c")),
		}),
	),
})).node;

test("a schema never breaks itself", () => {
	fc.assert(
		fc.property(schema, fc.constantFrom<SchemaUse>("input", "output"), (one, use) => {
			assert.deepEqual(schemaBreaks(one, structuredClone(one), use), []);
		}),
	);
});

test("whatever stands in the place of a schema is compared without a failure", () => {
	fc.assert(
		fc.property(fc.jsonValue(), fc.jsonValue(), (before, after) => {
			assert.ok(Array.isArray(schemaBreaks(before, after, "input")));
			assert.ok(Array.isArray(schemaBreaks(before, after, "output")));
		}),
	);
});

test("schemas nested without an end are looked at to a bounded depth", () => {
	let [before, after]: object[] = [{ type: "string" }, { type: "number" }];
	for (let level = 0; level < 100; level += 1) {
		[before, after] = [object({ a: before }), object({ a: after })];
	}
	assert.deepEqual(schemaBreaks(before, after, "input"), []);
});

test("as many breaks are listed as people read, and the rest is counted", () => {
	// breaks_max
	const properties = (count: number, type: string) =>
		object(Object.fromEntries(Array.from({ length: count }, (_, at) => [`p${at}`, { type }])));
	const found = (count: number) =>
		sentences(properties(count, "string"), properties(count, "number"));
	assert.equal(found(49).length, 49);
	assert.equal(found(50).at(-1), "p49 was string and is number");
	assert.deepEqual(found(51).slice(49), [
		"p49 was string and is number",
		"input breaks in 1 more ways",
	]);
});
