import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { callsInAll, joinSets, setOf } from "./call-sets.ts";

const length = 256;
const parts = 4;

/** Of a part nothing, a few, many or all calls. */
const some_calls = fc.oneof(
	fc.constant<number[]>([]),
	fc.uniqueArray(fc.nat(length - 1), { maxLength: 14 }),
	fc.uniqueArray(fc.nat(length - 1), { minLength: 17, maxLength: 200 }),
	fc.constant(Array.from({ length }, (_, call) => call)),
);

/** No call at all is a set that nobody keeps. */
const a_few = some_calls.filter((calls) => calls.length > 0);

const ascending = (calls: readonly number[]) => calls.toSorted((left, right) => left - right);

test("calls that are in all sets come last first, however each set is kept", () => {
	const property = fc.property(fc.array(a_few, { minLength: 1, maxLength: 4 }), (all) => {
		const sets = all.map((calls) => setOf(ascending(calls), length));
		const [first = [], ...others] = all;
		const expected = ascending(first).filter((call) => others.every((one) => one.includes(call)));
		assert.deepEqual([...callsInAll(sets, length)], expected.toReversed());
	});
	fc.assert(property);
});

test("sets of parts are joined to one of all of them, and all of everything takes no room", () => {
	const some_parts = fc.array(some_calls, { minLength: parts, maxLength: parts });
	const property = fc.property(some_parts, some_parts, (left, right) => {
		const [joined, other] = [left, right].map((sides) =>
			joinSets(
				sides.map((calls) => (calls.length === 0 ? undefined : setOf(ascending(calls), length))),
				length,
			),
		) as [Uint8Array, Uint8Array];
		const calls = (sides: readonly number[][]) =>
			sides.flatMap((part, index) => ascending(part).map((call) => index * length + call));
		fc.pre(calls(left).length > 0 && calls(right).length > 0);
		assert.deepEqual([...callsInAll([joined], parts * length)], calls(left).toReversed());
		const both = calls(left).filter((call) => calls(right).includes(call));
		assert.deepEqual([...callsInAll([joined, other], parts * length)], both.toReversed());
	});
	fc.assert(property);
	const all = setOf(
		Array.from({ length }, (_, call) => call),
		length,
	);
	assert.equal(joinSets([all, all], length).length, 0);
});
