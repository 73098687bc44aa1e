import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import {
	damage,
	damaged,
	object_text,
	parseJsonText,
	value_text,
} from "../../test/support/json-text.ts";
import type { ObjectIndex, Span } from "./message.ts";
import {
	indexArray,
	indexObject,
	memberSpan,
	rawText,
	readJson,
	readJsonText,
	readString,
	spanAt,
} from "./object.ts";

function whole(bytes: Buffer): Span {
	return { start: 0, end: bytes.length };
}

function index(text: string): { bytes: Buffer; object: ObjectIndex } {
	const bytes = Buffer.from(text);
	const object = indexObject(bytes, whole(bytes));
	assert.ok(object !== undefined);
	return { bytes, object };
}

test("an object's members are located in their order, keys decoded", () => {
	const { bytes, object } = index(' { "a" : 1.0 , "\\u0062" : [ 2 ] , "" : { } } ');
	assert.deepEqual(
		object.members.map(({ key, value }) => [key, rawText(bytes, value)]),
		[
			["a", "1.0"],
			["b", "[ 2 ]"],
			["", "{ }"],
		],
	);
	assert.deepEqual(object.span, { start: 1, end: bytes.length - 1 });
	assert.deepEqual(
		object.members.map(({ key_start }) => bytes[key_start]),
		[0x22, 0x22, 0x22],
	);
});

test("spans are offsets into the whole buffer, not into the part that was indexed", () => {
	const bytes = Buffer.from('[0,{"a":"x"},7]');
	const items = indexArray(bytes, whole(bytes));
	assert.deepEqual(
		items?.map((item) => rawText(bytes, item)),
		["0", '{"a":"x"}', "7"],
	);
	const object = indexObject(bytes, items?.[1] as Span);
	assert.equal(readString(bytes, memberSpan(object, "a")), "x");
});

test("what is not an object or an array is not indexed as one", () => {
	for (const text of ["1", '"{}"', "null", "[{}]", "", " ", "{", '{"a"', '{"a":1', '{"a":1,']) {
		const bytes = Buffer.from(text);
		assert.equal(indexObject(bytes, whole(bytes)), undefined, text);
	}
	for (const text of ["1", '"[]"', "null", '{"a":[]}', "", "[", "[1", "[1,", "[1 2]"]) {
		const bytes = Buffer.from(text);
		assert.equal(indexArray(bytes, whole(bytes)), undefined, text);
	}
});

test("of a key that appears twice the last counts, and both are listed", () => {
	const { bytes, object } = index('{"a":1,"b":2,"\\u0061":3}');
	assert.equal(object.members.length, 3);
	assert.equal(readJson(bytes, memberSpan(object, "a")), 3);
});

test("a missing member or object has no span, and nothing reads as nothing", () => {
	const { bytes, object } = index('{"a":1}');
	assert.equal(memberSpan(object, "b"), undefined);
	assert.equal(memberSpan(object, "constructor"), undefined);
	assert.equal(memberSpan(undefined, "a"), undefined);
	assert.equal(readString(bytes, undefined), undefined);
	assert.equal(readJson(bytes, undefined), undefined);
});

test("only a string reads as a string", () => {
	const { bytes, object } = index('{"s":"a\\n\\u00e4ä😀","n":1,"o":{},"z":null,"e":""}');
	assert.equal(readString(bytes, memberSpan(object, "s")), "a\nää😀");
	assert.equal(readString(bytes, memberSpan(object, "e")), "");
	for (const key of ["n", "o", "z"]) {
		assert.equal(readString(bytes, memberSpan(object, key)), undefined);
	}
});

test("raw text is what was written", () => {
	const { bytes, object } = index('{"big":12345678901234567890,"f":1.0,"s":"\\u00e4"}');
	const raw = object.members.map(({ value }) => rawText(bytes, value));
	assert.deepEqual(raw, ["12345678901234567890", "1.0", '"\\u00e4"']);
});

test("any object indexes to the members JSON.parse finds", () => {
	fc.assert(
		fc.property(object_text, (text) => {
			const { bytes, object } = index(text);
			const parsed = parseJsonText(text) as Record<string, unknown>;
			const keys = new Set(object.members.map(({ key }) => key));
			assert.deepEqual([...keys].toSorted(), Object.keys(parsed).toSorted());
			for (const key of keys) {
				const value = Object.getOwnPropertyDescriptor(parsed, key)?.value as unknown;
				assert.deepEqual(readJson(bytes, memberSpan(object, key)), value);
				const string = typeof value === "string" ? value : undefined;
				assert.equal(readString(bytes, memberSpan(object, key)), string);
			}
		}),
		{ numRuns: 500 },
	);
});

test("any array indexes to the items JSON.parse finds", () => {
	fc.assert(
		fc.property(fc.array(value_text), (texts) => {
			const bytes = Buffer.from(`[ ${texts.join(" , ")} ]`);
			const items = indexArray(bytes, whole(bytes));
			assert.deepEqual(
				items?.map((item) => rawText(bytes, item)),
				texts,
			);
		}),
		{ numRuns: 200 },
	);
});

test("bytes nobody validated never make the indexing throw or read beyond them", () => {
	fc.assert(
		fc.property(object_text, fc.array(damage, { minLength: 1 }), (text, damages) => {
			const bytes = damages.reduce(damaged, Buffer.from(text));
			for (const member of indexObject(bytes, whole(bytes))?.members ?? []) {
				assert.ok(member.value.end <= bytes.length);
			}
			for (const item of indexArray(bytes, whole(bytes)) ?? []) {
				assert.ok(item.end <= bytes.length);
			}
		}),
		{ numRuns: 500 },
	);
});

test("a value is found at the end of a path of keys, through objects only", () => {
	const bytes = Buffer.from('{"a":{"b":{"c":1.0},"l":[{"c":2}],"__proto__":{"d":3}}}');
	const at = (...path: string[]) => {
		const span = spanAt(bytes, whole(bytes), path);
		return span === undefined ? undefined : rawText(bytes, span);
	};
	assert.equal(at(), bytes.toString());
	assert.equal(at("a", "b", "c"), "1.0");
	assert.equal(at("a", "__proto__", "d"), "3");
	assert.equal(at("a", "l", "c"), undefined);
	assert.equal(at("a", "b", "toString"), undefined);
	assert.equal(at("a", "missing", "c"), undefined);
	assert.equal(spanAt(bytes, undefined, ["a"]), undefined);
});

test("a text of JSON is read as it says, also when its keys are escaped", () => {
	readJsonText('{"\\\\":1}');
	assert.deepEqual(readJsonText('{"\\u0061":{"n":[1,"é"]}}'), { a: { n: [1, "é"] } });
	assert.deepEqual(readJsonText('{"\\u0061":1}'), { a: 1 });
	assert.equal(readJsonText("null"), null);
});
