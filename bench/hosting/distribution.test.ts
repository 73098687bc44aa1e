import assert from "node:assert/strict";
import { test } from "node:test";
import { distributionOf, valuesOf } from "./distribution.ts";

test("the p99 of a hundred values is the second largest", () => {
	const values = Array.from({ length: 100 }, (_, index) => 100 - index);
	assert.deepEqual(distributionOf(values), { count: 100, p50: 50.5, p99: 99 });
});

test("the p99 of a few values is the largest, in whatever order they come", () => {
	assert.deepEqual(distributionOf([3, 9, 1]), { count: 3, p50: 3, p99: 9 });
});

test("one value is all there is to say", () => {
	assert.deepEqual(distributionOf([7]), { count: 1, p50: 7, p99: 7 });
});

test("nothing measured is a mistake, not a zero", () => {
	assert.throws(() => distributionOf([]), /nothing was measured/);
});

test("values carry what they are of, and their unit", () => {
	assert.deepEqual(valuesOf("frozen", [1.23456, 2.5, 2]), {
		frozen_p50_ms: 2,
		frozen_p99_ms: 2.5,
		frozen_count: 3,
	});
});
