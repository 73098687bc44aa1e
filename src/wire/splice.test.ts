import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { key_text, object_text, parseJsonText, value_text } from "../../test/support/json-text.ts";
import type { Edit, ObjectIndex } from "./message.ts";
import { indexObject, rawText } from "./object.ts";
import { applyEdits, type ObjectChange, objectEdits, replaceSpan } from "./splice.ts";

function edit(start: number, end: number, text: string | Buffer): Edit {
	return { start, end, text };
}

function apply(text: string, ...edits: Edit[]): string {
	return applyEdits(Buffer.from(text), edits).toString();
}

function index(bytes: Buffer): ObjectIndex {
	const object = indexObject(bytes, { start: 0, end: bytes.length });
	assert.ok(object !== undefined);
	return object;
}

function decode(key: string): string {
	return JSON.parse(key) as string;
}

function change(text: string, changes: ObjectChange): string {
	const bytes = Buffer.from(text);
	return applyEdits(bytes, objectEdits(bytes, index(bytes), changes)).toString();
}

test("edits replace, insert and remove, whatever their order", () => {
	assert.equal(apply("abcdef", edit(1, 2, "XYZ"), edit(4, 4, "+"), edit(5, 6, "")), "aXYZcd+e");
	assert.equal(apply("abcdef", edit(5, 6, ""), edit(1, 2, "XYZ"), edit(4, 4, "+")), "aXYZcd+e");
	assert.equal(apply("abc", edit(0, 3, "")), "");
	assert.equal(apply("", edit(0, 0, "x")), "x");
	assert.equal(apply("abc", edit(3, 3, "!"), edit(0, 0, "!")), "!abc!");
	assert.equal(apply("abc", replaceSpan({ start: 1, end: 2 }, "b")), "abc");
});

test("text may be bytes, long, or beyond ASCII", () => {
	const long = "long ä😀".repeat(100);
	assert.equal(apply("ab", edit(1, 1, Buffer.from(long)), edit(2, 2, long)), `a${long}b${long}`);
	assert.equal(apply("ab", edit(1, 1, "ä"), edit(1, 1, "😀x")), "aä😀xb");
	assert.equal(apply("ab", edit(1, 2, "x".repeat(48)), edit(2, 2, "y".repeat(49))).length, 98);
});

test("inserts at one place keep their order and come before what replaces the rest", () => {
	const inserts = [edit(1, 1, "1"), edit(1, 1, "2"), edit(1, 1, "3")];
	assert.equal(apply("ab", ...inserts), "a123b");
	assert.equal(apply("ab", edit(1, 2, "B"), ...inserts), "a123B");
	assert.equal(apply("abc", edit(2, 3, "C"), edit(0, 1, "A"), ...inserts), "A123bC");
});

test("without edits the bytes themselves come back", () => {
	const bytes = Buffer.from("abc");
	assert.equal(applyEdits(bytes, []), bytes);
});

test("edits that overlap or lie outside are a programmer's error", () => {
	const bytes = Buffer.from("abcdef");
	for (const edits of [
		[edit(0, 3, ""), edit(2, 4, "")],
		[edit(0, 3, ""), edit(1, 1, "x")],
		[edit(1, 3, ""), edit(1, 3, "")],
		[edit(3, 2, "")],
		[edit(-1, 0, "x")],
		[edit(6, 7, "")],
		[edit(7, 7, "x")],
	]) {
		assert.throws(() => applyEdits(bytes, edits), { name: "AssertionError" });
	}
});

test("edits do not touch the bytes they were made for", () => {
	const bytes = Buffer.from("abc");
	const edits = [edit(2, 3, "C"), edit(0, 1, "A")];
	assert.equal(applyEdits(bytes, edits).toString(), "AbC");
	assert.equal(bytes.toString(), "abc");
	assert.deepEqual(
		edits.map(({ start }) => start),
		[2, 0],
	);
});

test("random edits give what cutting the text at the same places gives", () => {
	const cut_texts = fc.array(fc.tuple(fc.string(), fc.option(fc.string({ unit: "binary" }))));
	fc.assert(
		fc.property(cut_texts, fc.infiniteStream(fc.boolean()), (parts, coins) => {
			const text = Buffer.from(parts.map(([kept]) => kept).join(""));
			const edits: Edit[] = [];
			const expected: Buffer[] = [];
			let at = 0;
			for (const [kept, replacement] of parts) {
				const length = Buffer.byteLength(kept);
				if (replacement === null) {
					expected.push(Buffer.from(kept));
				} else {
					const written = coins.next().value ? Buffer.from(replacement) : replacement;
					edits.push(edit(at, at + length, written));
					expected.push(Buffer.from(replacement));
				}
				at += length;
			}
			assert.deepEqual(applyEdits(text, edits), Buffer.concat(expected));
		}),
	);
});

test("members are set in place and at the end, and removed with their comma", () => {
	const text = ' { "a" : 1 , "b":2,\n"c":3 } ';
	assert.equal(change(text, { set: { b: '"x"' } }), ' { "a" : 1 , "b":"x",\n"c":3 } ');
	assert.equal(change(text, { set: { d: "4" } }), ' { "a" : 1 , "b":2,\n"c":3,"d":4 } ');
	assert.equal(change(text, { remove: ["a"] }), ' { "b":2,\n"c":3 } ');
	assert.equal(change(text, { remove: ["b"] }), ' { "a" : 1,\n"c":3 } ');
	assert.equal(change(text, { remove: ["c"] }), ' { "a" : 1 , "b":2 } ');
	assert.equal(change(text, { remove: ["a", "b", "c"] }), " {  } ");
	assert.equal(
		change(text, { remove: ["a", "c"], set: { d: "4", e: "5" } }),
		' { "b":2,"d":4,"e":5 } ',
	);
	assert.equal(change(text, { remove: ["c", "b", "a"], set: { d: "4" } }), ' { "d":4 } ');
	assert.equal(change(text, { remove: ["x"], set: {} }), text);
});

test("an empty object takes members", () => {
	assert.equal(change("{}", { set: { a: "1", b: Buffer.from("[2]") } }), '{"a":1,"b":[2]}');
	assert.equal(change("{ }", { set: { 'q"ä\n': "1" } }), '{"q\\"ä\\n":1 }');
});

test("set wins over remove, and a key that was there twice is there once", () => {
	assert.equal(change('{"a":1,"b":2}', { set: { a: "3" }, remove: ["a"] }), '{"a":3,"b":2}');
	assert.equal(change('{"a":1,"b":2,"\\u0061":3}', { set: { a: "4" } }), '{"b":2,"\\u0061":4}');
	assert.equal(change('{"b":2,"a":1,"a":3}', { remove: ["a"] }), '{"b":2}');
});

test("an index of other bytes is a programmer's error", () => {
	const object = index(Buffer.from('{"a":1}'));
	assert.throws(() => objectEdits(Buffer.from("[]"), object, { set: { a: "2" } }), {
		name: "AssertionError",
	});
});

test("any change gives the object that changing a parsed one gives, other bytes untouched", () => {
	const changes = fc.record({
		set: fc.array(fc.tuple(key_text, value_text, fc.boolean()), { maxLength: 4 }),
		remove: fc.array(key_text, { maxLength: 4 }),
	});
	fc.assert(
		fc.property(object_text, changes, (text, { set, remove }) => {
			const frame = ["[ 1.0 ,", " , {} ]"] as const;
			const bytes = Buffer.from(frame[0] + text + frame[1]);
			const place = { start: frame[0].length, end: bytes.length - frame[1].length };
			const object = indexObject(bytes, place) as ObjectIndex;
			const written = Object.fromEntries(
				set.map(([key, json, as_bytes]) => [decode(key), as_bytes ? Buffer.from(json) : json]),
			);
			const removed = remove.map(decode);
			const edits = objectEdits(bytes, object, { set: written, remove: removed });
			const changed = applyEdits(bytes, edits);

			const expected = new Map(Object.entries(parseJsonText(text) as object));
			for (const key of removed) expected.delete(key);
			for (const [key, json] of Object.entries(written)) {
				expected.set(key, parseJsonText(json.toString()));
			}
			const after = changed.toString();
			assert.ok(after.startsWith(frame[0]) && after.endsWith(frame[1]));
			const changed_text = after.slice(frame[0].length, after.length - frame[1].length);
			assert.deepEqual(new Map(Object.entries(parseJsonText(changed_text) as object)), expected);

			// What was neither set nor removed is there byte for byte, and in the same order.
			const untouched = (buffer: Buffer, { members }: ObjectIndex) =>
				members
					.filter(({ key }) => !Object.hasOwn(written, key) && !removed.includes(key))
					.map(({ key_start, value }) => rawText(buffer, { start: key_start, end: value.end }));
			const end = { start: place.start, end: changed.length - frame[1].length };
			const index_after = indexObject(changed, end) as ObjectIndex;
			assert.deepEqual(untouched(changed, index_after), untouched(bytes, object));
			// And what was set is there as it was given.
			for (const { key, value } of index_after.members) {
				if (!Object.hasOwn(written, key)) continue;
				assert.equal(rawText(changed, value), written[key]?.toString());
			}
		}),
		{ numRuns: 1000 },
	);
});
