import assert from "node:assert/strict";
import { test } from "node:test";
import { slopeOf } from "./slope.ts";

test("a line is found as steep as it is, with no noise where there is none", () => {
	const slope = slopeOf([
		[0, 100],
		[1, 102],
		[2, 104],
		[5, 110],
	]);
	assert.ok(slope !== undefined);
	assert.ok(Math.abs(slope.per_step - 2) < 1e-9);
	assert.ok(slope.noise < 1e-6);
});

test("ups and downs without a direction are a slope within its noise", () => {
	const saw = Array.from({ length: 200 }, (_, at): [number, number] => [at, 200 + (at % 7) * 5]);
	const slope = slopeOf(saw);
	assert.ok(slope !== undefined && Math.abs(slope.per_step) <= slope.noise);
	const leak = slopeOf(saw.map(([x, y]) => [x, y + x * 0.5]));
	assert.ok(leak !== undefined && leak.per_step > leak.noise);
});

test("two points, or many at one place, say nothing", () => {
	assert.equal(slopeOf([]), undefined);
	assert.equal(
		slopeOf([
			[0, 1],
			[1, 2],
		]),
		undefined,
	);
	assert.equal(
		slopeOf([
			[1, 1],
			[1, 2],
			[1, 3],
		]),
		undefined,
	);
});
