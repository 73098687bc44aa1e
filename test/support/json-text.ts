import assert from "node:assert/strict";
import * as fc from "fast-check";
import { type Node, parseTree } from "jsonc-parser";

/**
 * JSON as it may really be written: any whitespace, any escape where a plain character would
 * do, numbers in every form, keys twice. What a text means is left to `JSON.parse`.
 */

const space = fc.oneof(
	{ weight: 6, arbitrary: fc.constant("") },
	{ weight: 1, arbitrary: fc.stringMatching(/^[ \t\r\n]{1,4}$/u) },
);

const number_text = fc.oneof(
	fc.integer().map(String),
	fc.bigInt().map(String),
	fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => JSON.stringify(value)),
	fc.constantFrom("0", "-0", "1.0", "1e400", "1E+2", "-0.50e-07", "9007199254740993"),
);

/** One character of a string, or one escape, as it stands between the quotes. */
const text_unit = fc.oneof(
	{ weight: 8, arbitrary: fc.constantFrom(...Array.from("abcz09 _-/{}[]:,\u007f")) },
	{ weight: 2, arbitrary: fc.constantFrom("ä", "漢", "😀", "\u2028", "\ufeff") },
	{
		weight: 2,
		arbitrary: fc.constantFrom("\\n", '\\"', "\\\\", "\\/", "\\b", "\\f", "\\r", "\\t"),
	},
	{ weight: 2, arbitrary: fc.stringMatching(/^\\u[0-9a-fA-F]{4}$/u) },
	// Long enough for the scanner to change its step.
	{ weight: 1, arbitrary: fc.integer({ min: 1, max: 500 }).map((count) => "long".repeat(count)) },
);

/** A string with its quotes. */
export const string_text: fc.Arbitrary<string> = fc
	.array(text_unit, { maxLength: 12 })
	.map((units) => `"${units.join("")}"`);

/** A key with its quotes; few enough of them to meet twice, and some that mean something. */
export const key_text: fc.Arbitrary<string> = fc.oneof(
	fc.constantFrom('"a"', '"b"', '"c"', '"\\u0061"', '""', '"__proto__"', '"ä"', '"\\\\"'),
	fc.constantFrom('"name"', '"_meta"', '"id"', '"_m\\u0065ta"', '"progressToken"'),
	string_text,
);

/** The text of an object with these members, their keys written as given. */
export function objectText(
	members: fc.Arbitrary<readonly (readonly [key: string, value: string])[]>,
): fc.Arbitrary<string> {
	return fc.tuple(members, fc.infiniteStream(space)).map(([pairs, spaces]) => {
		const gap = () => spaces.next().value as string;
		const written = pairs.map(([key, value]) => gap() + key + gap() + ":" + gap() + value + gap());
		return `{${written.length === 0 ? gap() : written.join(",")}}`;
	});
}

function arrayText(items: fc.Arbitrary<readonly string[]>): fc.Arbitrary<string> {
	return fc.tuple(items, fc.infiniteStream(space)).map(([values, spaces]) => {
		const gap = () => spaces.next().value as string;
		const written = values.map((value) => gap() + value + gap());
		return `[${written.length === 0 ? gap() : written.join(",")}]`;
	});
}

const texts = fc.letrec<{ value: string; object: string }>((tie) => ({
	value: fc.oneof(
		{ depthSize: "small", withCrossShrink: true },
		fc.constantFrom("true", "false", "null"),
		number_text,
		string_text,
		arrayText(fc.array(tie("value"), { maxLength: 4 })),
		tie("object"),
	),
	object: objectText(fc.array(fc.tuple(key_text, tie("value")), { maxLength: 5 })),
}));

/** Any JSON value. */
export const value_text: fc.Arbitrary<string> = texts.value;

/** Any JSON object, keys possibly twice. */
export const object_text: fc.Arbitrary<string> = texts.object;

/** Members whose keys all differ once decoded. */
export const unique_members: fc.Arbitrary<[key: string, value: string][]> = fc.uniqueArray(
	fc.tuple(key_text, value_text),
	{ maxLength: 6, selector: ([key]) => JSON.parse(key) as string },
);

/** One change of some bytes: where (as a fraction), how many bytes go, what comes instead. */
export interface Damage {
	readonly place: number;
	readonly bytes_removed: number;
	readonly inserted: Uint8Array;
}

const telling_bytes = fc.constantFrom(
	...Array.from("\"\\{}[]:,0129.eE+-truefalsn \n\t\r\0\u001f\u007f/uxX'"),
);

/** Small damage as bad senders do it, made of the bytes that mean something to JSON. */
export const damage: fc.Arbitrary<Damage> = fc.record({
	place: fc.double({ min: 0, max: 1, noNaN: true }),
	bytes_removed: fc.integer({ min: 0, max: 3 }),
	inserted: fc.oneof(
		fc.constant(new Uint8Array()),
		fc.array(telling_bytes, { maxLength: 3 }).map((chars) => Buffer.from(chars.join(""))),
		fc.uint8Array({ minLength: 1, maxLength: 2 }),
	),
});

/** The bytes with the damage done. */
export function damaged(bytes: Buffer, { place, bytes_removed, inserted }: Damage): Buffer {
	const at = Math.floor(place * bytes.length);
	return Buffer.concat([bytes.subarray(0, at), inserted, bytes.subarray(at + bytes_removed)]);
}

/**
 * The value of JSON, by a parser that shares nothing with ours. `JSON.parse` will not do: V8
 * mistakes keys with escapes for others it has seen, so one test would disturb the next.
 */
export function parseJsonText(text: string): unknown {
	const tree = parseTree(text);
	assert.ok(tree !== undefined, "the text is JSON");
	return valueOf(tree);
}

function valueOf(node: Node): unknown {
	if (node.type === "array") return (node.children ?? []).map(valueOf);
	if (node.type !== "object") return node.value as unknown;
	const entries = (node.children ?? []).map((property) => {
		const [key, value] = property.children ?? [];
		assert.ok(key !== undefined && value !== undefined, "a property has a key and a value");
		return [key.value as string, valueOf(value)] as const;
	});
	return Object.fromEntries(entries);
}

/** The value of bytes that must be UTF-8 and JSON; undefined when they are not. */
export function parseStrictly(bytes: Buffer): { readonly value: unknown } | undefined {
	try {
		const text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
		// What it takes and refuses is right, whatever it makes of the keys.
		JSON.parse(text);
		return { value: parseJsonText(text) };
	} catch (error) {
		if (error instanceof SyntaxError || error instanceof TypeError) return undefined;
		throw error;
	}
}

/** Where to cut something into pieces: lengths that are used in turn, again and again. */
export const cuts: fc.Arbitrary<number[]> = fc.array(
	fc.oneof(fc.integer({ min: 1, max: 4 }), fc.integer({ min: 1, max: 200 })),
	{ minLength: 1, maxLength: 8 },
);

/** The bytes in pieces of these lengths. Each piece is memory of its own. */
export function pieces(bytes: Buffer, lengths: readonly number[]): Buffer[] {
	const parts: Buffer[] = [];
	for (let at = 0; at < bytes.length; ) {
		const length = lengths[parts.length % lengths.length] ?? 1;
		parts.push(Buffer.from(bytes.subarray(at, at + length)));
		at += length;
	}
	return parts;
}
