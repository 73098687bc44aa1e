import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { describeArguments, toolArguments } from "./tool-arguments.ts";

const schema = {
	type: "object",
	properties: {
		text: { type: "string" },
		count: { type: "integer" },
		ratio: { type: "number" },
		on: { type: "boolean" },
		tags: { type: "array", items: { type: "string" } },
		sizes: { type: "array", items: { type: "integer" } },
		where: { type: "object" },
		maybe: { type: ["string", "null"] },
		level: { enum: [1, 2, 3] },
		mode: { enum: ["a", "b"] },
		either: { anyOf: [{ type: "integer" }, { type: "boolean" }] },
		free: {},
		open: { anyOf: [{ type: "integer" }, {}] },
		linked: { $ref: "#/$defs/size" },
		loop: { $ref: "#/properties/loop" },
	},
	$defs: { size: { type: "integer" } },
};

const accepted: readonly (readonly [readonly string[], string])[] = [
	[[], "{}"],
	[["text=hello world"], '{"text":"hello world"}'],
	[["text=5"], '{"text":"5"}'],
	[["text="], '{"text":""}'],
	[["text=a=b:=c"], '{"text":"a=b:=c"}'],
	[["count=12345678901234567890"], '{"count":12345678901234567890}'],
	[["ratio=1.0"], '{"ratio":1.0}'],
	[["ratio=-2"], '{"ratio":-2}'],
	[["on=true", "count=3"], '{"on":true,"count":3}'],
	[["tags=a", "tags=b"], '{"tags":["a","b"]}'],
	[['tags=["a", "b"]'], '{"tags":["a", "b"]}'],
	[["sizes=1", "sizes=2"], '{"sizes":[1,2]}'],
	[['where={"a": [1.0]}'], '{"where":{"a": [1.0]}}'],
	[["maybe=null"], '{"maybe":"null"}'],
	[["maybe:=null"], '{"maybe":null}'],
	[["level=2"], '{"level":2}'],
	[["mode=a"], '{"mode":"a"}'],
	[["either=false"], '{"either":false}'],
	[["free=1.50"], '{"free":1.50}'],
	[["free=word"], '{"free":"word"}'],
	[["open=word"], '{"open":"word"}'],
	[["linked=7"], '{"linked":7}'],
	[["loop=x"], '{"loop":"x"}'],
	[['text:={"any": "json"}'], '{"text":{"any": "json"}}'],
	[['new"key=1'], '{"new\\"key":1}'],
	[["__proto__=1"], '{"__proto__":1}'],
];

for (const [words, expected] of accepted) {
	test(`${words.join(" ") || "no words"} become ${expected}`, () => {
		assert.deepEqual(toolArguments(words, schema), { ok: true, value: expected });
	});
}

const refused: readonly (readonly [readonly string[], RegExp])[] = [
	[["text"], /"text" is not an argument: write name=value/],
	[["=5"], /is not an argument/],
	[[":=5"], /is not an argument/],
	[["count=abc"], /"count" must be an integer, not "abc"/],
	[["count=1.5"], /"count" must be an integer/],
	[["on=yes"], /"on" must be a boolean/],
	[["where=[1]"], /"where" must be an object/],
	[["sizes=x"], /"sizes" must be an integer/],
	[["either=x"], /must be an integer or a boolean/],
	[["text=a", "text=b"], /"text" is given twice/],
	[["tags=a", 'tags=["b"]'], /"tags" is given twice/],
	[["text:={"], /"text" is not valid JSON/],
];

for (const [words, message] of refused) {
	test(`${words.join(" ")} is refused in words`, () => {
		const outcome = toolArguments(words, schema);
		assert.ok(!outcome.ok);
		assert.match(outcome.problem, message);
	});
}

test("what a closed schema does not have is refused with the nearest name", () => {
	const closed = { ...schema, additionalProperties: false };
	const outcome = toolArguments(["cuont=1"], closed);
	assert.deepEqual(outcome, {
		ok: false,
		problem: 'The tool has no argument "cuont". Did you mean "count"?',
	});
});

test("what is required and missing is named", () => {
	const outcome = toolArguments(["text=a"], { ...schema, required: ["text", "count", "on"] });
	assert.deepEqual(outcome, { ok: false, problem: "Missing: count, on." });
});

test("arguments are described with their type", () => {
	assert.deepEqual(describeArguments({ ...schema, required: ["text"] }).slice(0, 3), [
		"text: string, required",
		"count: integer",
		"ratio: number",
	]);
	assert.deepEqual(describeArguments(undefined), []);
});

test("schemas of any shape are lived with", () => {
	const strange = fc.oneof(fc.jsonValue(), fc.record({ properties: fc.jsonValue() }));
	fc.assert(
		fc.property(strange, fc.array(fc.string()), (input_schema, words) => {
			const outcome = toolArguments(words, input_schema);
			if (outcome.ok) assert.equal(typeof JSON.parse(outcome.value), "object");
		}),
	);
});

test("text arrives as it was typed, whatever it holds", () => {
	fc.assert(
		fc.property(fc.string({ unit: "binary" }), (text) => {
			const outcome = toolArguments([`text=${text}`], schema);
			assert.ok(outcome.ok);
			assert.deepEqual(JSON.parse(outcome.value), { text });
		}),
	);
});
