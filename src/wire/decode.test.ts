import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { key_text, string_text } from "../../test/support/json-text.ts";
import { decodeName, decodeRepeated, decodeText, quotedName } from "./decode.ts";

function nameOf(quoted: string): string {
	const bytes = Buffer.from(`..${quoted}..`);
	return decodeName(bytes, 3, bytes.length - 3);
}

function textOf(quoted: string): string {
	const bytes = Buffer.from(`..${quoted}..`);
	return decodeText(bytes, 3, bytes.length - 3);
}

test("names and texts decode as JSON.parse decodes them, the first time and again", () => {
	fc.assert(
		fc.property(fc.oneof(key_text, string_text), (quoted) => {
			const decoded = JSON.parse(quoted) as string;
			assert.equal(nameOf(quoted), decoded);
			assert.equal(nameOf(quoted), decoded);
			assert.equal(textOf(quoted), decoded);
		}),
		{ numRuns: 1000 },
	);
});

test("names that share a slot of the cache are never taken for each other", () => {
	// Same length, same first, middle and last byte: only what is between tells them apart.
	const names = ["a1m2z", "a2m1z", "a1m3z", "a9m9z"];
	for (let round = 0; round < 3; round++) {
		for (const name of names) assert.equal(nameOf(`"${name}"`), name);
	}
});

test("a name is not taken for a longer one that begins with it", () => {
	// Some of these pairs share a slot.
	for (let index = 0; index < 20_000; index++) {
		const name = `n${index.toString(36)}`;
		assert.equal(nameOf(`"${name}_longer"`), `${name}_longer`);
		assert.equal(nameOf(`"${name}"`), name);
	}
});

test("an escaped spelling is not taken for the name it spells, nor the name for it", () => {
	assert.equal(nameOf('"id"'), "id");
	assert.equal(nameOf('"\\u0069d"'), "id");
	assert.equal(nameOf('"\\\\u0069d"'), "\\u0069d");
	assert.equal(nameOf('"\\u0069d"'), "id");
});

test("names at and beyond the longest cached length decode whole", () => {
	for (let length = 0; length < 100; length++) {
		const name = "n".repeat(length);
		assert.equal(nameOf(`"${name}"`), name);
		assert.equal(nameOf(`"${name}ä"`), `${name}ä`);
	}
	// Enough of them to fall into every slot, the last one too.
	for (let index = 0; index < 20_000; index++) {
		const name = index.toString(36).padStart(38 + (index % 5), index.toString(36));
		assert.equal(nameOf(`"${name}"`), name);
	}
});

test("more names than the cache holds all decode", () => {
	for (let round = 0; round < 2; round++) {
		for (let index = 0; index < 5000; index++) {
			assert.equal(nameOf(`"name_${index}"`), `name_${index}`);
		}
	}
});

test("what is repeated is the text that stands there, the first time and again", () => {
	const text = fc.oneof(
		fc.string({ unit: "grapheme", maxLength: 700 }),
		// Equally long, and equal at most places: these share slots.
		fc
			.tuple(fc.constantFrom("a", "b", "ä"), fc.constantFrom(3, 100, 500, 511, 512, 513))
			.map(([one, length]) => `{"name":"${one}${"x".repeat(length)}"}`),
	);
	fc.assert(
		fc.property(fc.array(text, { minLength: 1, maxLength: 10 }), (texts) => {
			for (const one of [...texts, ...texts]) {
				const bytes = Buffer.from(`..${one}..`);
				assert.equal(decodeRepeated(bytes, 2, bytes.length - 2), one);
			}
		}),
		{ numRuns: 500 },
	);
});

test("a name is quoted as JSON quotes it, the first time, again, and after many others", () => {
	const quoteBoth = (name: string) => {
		assert.equal(quotedName(name), JSON.stringify(name));
		assert.equal(quotedName(name), JSON.stringify(name));
	};
	fc.assert(fc.property(fc.string({ unit: "grapheme" }), quoteBoth));
	for (let index = 0; index < 2_000; index += 1) quoteBoth(`"${index}`);
	quoteBoth("n".repeat(1_000));
});
