import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { resultText } from "./result-text.ts";

const base64 = Buffer.from("12345").toString("base64");

const cases: readonly (readonly [string, unknown, string])[] = [
	[
		"text",
		{
			content: [
				{ type: "text", text: "a" },
				{ type: "text", text: "b\nc" },
			],
		},
		"a\nb\nc",
	],
	[
		"text rather than the structure that repeats it",
		{ content: [{ type: "text", text: "a" }], structuredContent: { a: 1 } },
		"a",
	],
	["structure without text", { structuredContent: { a: [1] } }, '{\n  "a": [\n    1\n  ]\n}'],
	[
		"an image",
		{ content: [{ type: "image", mimeType: "image/png", data: base64 }] },
		"[image image/png, 5 bytes]",
	],
	[
		"a link to a resource",
		{ content: [{ type: "resource_link", uri: "file:///a", name: "A" }] },
		"[resource file:///a A]",
	],
	[
		"an embedded text",
		{ content: [{ type: "resource", resource: { uri: "file:///a", text: "inside" } }] },
		"inside",
	],
	[
		"an embedded file",
		{ content: [{ type: "resource", resource: { uri: "file:///a", blob: base64 } }] },
		"[resource file:///a, 5 bytes]",
	],
	["a kind of its own", { content: [{ type: "x/new", a: 1 }] }, '[x/new] {"type":"x/new","a":1}'],
	["nothing", {}, ""],
	["escape sequences", { content: [{ type: "text", text: "\u001b[2Ja" }] }, "a"],
];

for (const [what, result, expected] of cases) {
	test(`a result with ${what} is shown`, () => {
		assert.equal(resultText(result), expected);
	});
}

test("results of any shape are lived with", () => {
	const strange = fc.oneof(
		fc.jsonValue(),
		fc.record({ content: fc.array(fc.oneof(fc.jsonValue(), fc.record({ type: fc.string() }))) }),
	);
	fc.assert(fc.property(strange, (result) => typeof resultText(result) === "string"));
});
