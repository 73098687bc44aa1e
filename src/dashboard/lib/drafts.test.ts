import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { draftOf, readDraft } from "./drafts.ts";
import { shapeOf } from "./shapes.ts";

function fill(schema: Record<string, unknown>, value?: unknown) {
	const shape = shapeOf(schema, schema);
	return readDraft(shape, draftOf(shape, value));
}

const everything = {
	type: "object",
	properties: {
		text: { type: "string" },
		whole: { type: "integer" },
		part: { type: "number" },
		yes: { type: "boolean" },
		one: { enum: ["a", 2, null] },
		many: { type: "array", items: { type: "string" } },
		other: { anyOf: [{ type: "integer" }, { type: "null" }] },
		nested: { $ref: "#/$defs/nested" },
		free: {},
	},
	required: ["text"],
	$defs: {
		nested: {
			type: "object",
			properties: { deep: { $ref: "#/$defs/nested" }, n: { type: "number" } },
		},
	},
};

test("a value that fits its schema comes back from the form as it was", () => {
	const value = {
		text: "x",
		whole: 3,
		part: 0.5,
		yes: false,
		one: 2,
		many: ["a", ""],
		other: 7,
		nested: { deep: { deep: { n: 1 }, n: 2 } },
		free: { anything: [1, null] },
	};
	assert.deepEqual(fill(everything, value), { value, mistakes: {} });
});

test("a word that is one way of several is kept, as in a setting that is a word or a map", () => {
	const map = { type: "object", properties: { count: { type: "integer" } } };
	const schema = {
		type: "object",
		properties: { approval: { anyOf: [{ const: "required" }, map] } },
	};
	for (const value of [{ approval: "required" }, { approval: { count: 2 } }, {}]) {
		assert.deepEqual(fill(schema, value), { value, mistakes: {} });
	}
});

test("what is optional and was not filled in is left out", () => {
	assert.deepEqual(fill(everything, { text: "x" }), { value: { text: "x" }, mistakes: {} });
});

test("defaults, constants and joined schemas are filled in", () => {
	const schema = {
		type: "object",
		properties: { kind: { const: "circle" } },
		allOf: [{ properties: { size: { type: "integer", default: 4 } }, required: ["kind", "size"] }],
	};
	assert.deepEqual(fill(schema), { value: { kind: "circle", size: 4 }, mistakes: {} });
});

const map = {
	type: "object",
	properties: { env: { type: "object", additionalProperties: { type: "string" } } },
	additionalProperties: { type: "integer" },
};

test("members of any name come back as they were, and a map with nothing in it is left out", () => {
	const value = { env: { TOKEN: "x", EMPTY: "" }, other: 3 };
	assert.deepEqual(fill(map, value), { value, mistakes: {} });
	assert.deepEqual(fill(map, { env: {} }), { value: {}, mistakes: {} });
});

test("a typed name that is missing or there twice is a mistake at that name", () => {
	const shape = shapeOf(map, map);
	const rows = [
		["", "1"],
		["a", "1"],
		["a", "no"],
		["env", "1"],
	] as const;
	assert.deepEqual(readDraft(shape, { members: {}, rest: rows }).mistakes, {
		"#0": "It needs a name.",
		"#2": "This name is there already.",
		a: "This is not a number.",
		"#3": "This name is there already.",
	});
});

const wrong: readonly (readonly [object, unknown, string])[] = [
	[{ type: "integer" }, "1.5", "A whole number is needed."],
	[{ type: "number" }, "one", "This is not a number."],
	[{ type: "number", minimum: 2 }, "1", "At least 2."],
	[{ type: "number", maximum: 2 }, "3", "At most 2."],
	[{ type: "string", minLength: 3 }, "ab", "At least 3 characters."],
	[{ type: "string", maxLength: 1 }, "ab", "At most 1 characters."],
	[{}, "{", "This is not JSON. A text needs quotes around it."],
	[{ enum: ["a"] }, "", "Choose one."],
	[{ type: "integer" }, "", "This is needed."],
];

for (const [schema, draft, message] of wrong) {
	test(`${JSON.stringify(draft)} for ${JSON.stringify(schema)}: ${message}`, () => {
		const root = { type: "object", properties: { it: schema }, required: ["it"] };
		const { mistakes } = readDraft(shapeOf(root, root), { members: { it: draft as string } });
		assert.deepEqual(mistakes, { it: message });
	});
}

test("no schema breaks the form, however odd, deep or circular it is", () => {
	const circular = { $ref: "#/a", a: { $ref: "#/a" } };
	assert.equal(shapeOf(circular, circular).kind, "json");
	const endless = { type: "array", items: { $ref: "#" } };
	assert.equal(shapeOf(endless, endless).kind, "list");
	fc.assert(
		fc.property(fc.jsonValue(), fc.jsonValue(), (schema, value) => {
			const shape = shapeOf(schema, schema as Record<string, unknown>);
			readDraft(shape, draftOf(shape, value));
		}),
	);
});
