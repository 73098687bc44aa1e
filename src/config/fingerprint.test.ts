import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { canonicalJson, deepFreeze, fingerprintOf } from "./fingerprint.ts";

test("the order of members does not matter, the order of items does", () => {
	assert.equal(
		canonicalJson({ b: 1, a: [1, { d: null, c: "x" }] }),
		'{"a":[1,{"c":"x","d":null}],"b":1}',
	);
	assert.equal(fingerprintOf({ a: 1, b: 2 }), fingerprintOf({ b: 2, a: 1 }));
	assert.notEqual(fingerprintOf([1, 2]), fingerprintOf([2, 1]));
});

test("a member that is undefined is no member", () => {
	assert.equal(canonicalJson({ a: undefined, b: 1 }), canonicalJson({ b: 1 }));
});

test("canonical JSON reads back as the same value", () => {
	fc.assert(
		fc.property(fc.jsonValue({ noUnicodeString: false }), (value) => {
			assert.deepEqual(JSON.parse(canonicalJson(value)), JSON.parse(JSON.stringify(value)));
		}),
	);
});

test("freezing reaches everything", () => {
	const value = deepFreeze({ a: [{ b: "x" }], c: { d: { e: 1 } } });
	assert.ok(Object.isFrozen(value) && Object.isFrozen(value.a) && Object.isFrozen(value.a[0]));
	assert.ok(Object.isFrozen(value.c.d));
});
