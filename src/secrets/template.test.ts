import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import {
	literalTemplate,
	reference_kinds,
	referencesIn,
	referenceText,
	type TemplatePart,
	templateParts,
} from "./template.ts";

const texts = fc.oneof(fc.string(), fc.stringMatching(/^[${}%a:]*$/));

test("any text is a template of itself", () => {
	fc.assert(
		fc.property(texts, (text) => {
			assert.deepEqual(templateParts(literalTemplate(text)), text === "" ? [] : [text]);
		}),
	);
});

test("whatever is put together comes apart again", () => {
	const part: fc.Arbitrary<TemplatePart> = fc.oneof(
		texts.filter((text) => text !== ""),
		fc.record(
			{ kind: fc.constantFrom(...reference_kinds), body: texts },
			{ noNullPrototype: true },
		),
	);
	const property = fc.property(fc.array(part), (parts) => {
		// A `$` before a reference would escape it: no text of ours ends so.
		fc.pre(parts.every((one) => typeof one !== "string" || !one.endsWith("$")));
		const joined = parts.reduce<TemplatePart[]>((all, one) => {
			const last = all.at(-1);
			if (typeof one === "string" && typeof last === "string") all[all.length - 1] = last + one;
			else all.push(one);
			return all;
		}, []);
		const template = joined
			.map((one) => (typeof one === "string" ? literalTemplate(one) : referenceText(one)))
			.join("");
		assert.deepEqual(templateParts(template), joined);
	});
	fc.assert(property);
});

test("references are told from what only looks like one", () => {
	assert.deepEqual(referencesIn("Bearer ${secret:a-b} ${env:X}${unknown:y} $${env:Z} ${ $x"), [
		{ kind: "secret", body: "a-b" },
		{ kind: "env", body: "X" },
	]);
	assert.deepEqual(templateParts("a ${unknown:y}"), ["a ${unknown:y}"]);
	assert.deepEqual(referencesIn("nothing here"), []);
});
