import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { calls_min, rolloutVerdict } from "./verdict.ts";

const count = (calls: number, failed: number) => ({ calls, failed });
const none = count(0, 0);

test("nothing is concluded from a few calls", () => {
	assert.equal(rolloutVerdict(count(calls_min - 1, calls_min - 1), none, 5), undefined);
	assert.notEqual(rolloutVerdict(count(calls_min, calls_min), none, 5), undefined);
});

test("failures up to the limit are borne, one more is not", () => {
	assert.equal(rolloutVerdict(count(100, 5), none, 5), undefined);
	assert.match(rolloutVerdict(count(100, 6), none, 5) ?? "", /6 of its 100 calls failed/);
});

test("the share that is borne is that of the configuration, from none to all", () => {
	// errors_percent_max
	for (const errors_percent_max of [0, 1, 50, 99]) {
		const at = rolloutVerdict(count(100, errors_percent_max), none, errors_percent_max);
		assert.equal(at, undefined, String(errors_percent_max));
		const over = rolloutVerdict(count(100, errors_percent_max + 1), none, errors_percent_max);
		assert.match(over ?? "", /of its 100 calls failed/);
	}
	assert.equal(rolloutVerdict(count(100, 100), none, 100), undefined);
});

test("failures that the old version has too are not held against the new one", () => {
	assert.equal(rolloutVerdict(count(100, 40), count(100, 38), 5), undefined);
	assert.notEqual(rolloutVerdict(count(100, 44), count(100, 38), 5), undefined);
});

test("a version that never fails is never given up", () => {
	fc.assert(
		fc.property(fc.nat(), fc.nat(), fc.integer({ min: 0, max: 100 }), (calls, old, limit) => {
			assert.equal(rolloutVerdict(count(calls, 0), count(old, 0), limit), undefined);
		}),
	);
});
