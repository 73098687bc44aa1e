import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { formatDuration, formatSize, parseDuration, parseSize } from "./units.ts";

test("durations are read with their unit", () => {
	assert.equal(parseDuration("500ms"), 500);
	assert.equal(parseDuration("30s"), 30_000);
	assert.equal(parseDuration("5m"), 300_000);
	assert.equal(parseDuration("2h"), 7_200_000);
});

test("sizes are read with their unit", () => {
	assert.equal(parseSize("12B"), 12);
	assert.equal(parseSize("16KiB"), 16_384);
	assert.equal(parseSize("4MiB"), 4_194_304);
	assert.equal(parseSize("1GiB"), 1_073_741_824);
});

test("what is neither is neither", () => {
	for (const text of ["", "30", "s", "1.5s", "-1s", "30 s", "30S", "4MB", "4mib", "1e3s", "s30"]) {
		assert.equal(parseDuration(text), undefined, text);
		assert.equal(parseSize(text), undefined, text);
	}
});

test("amounts are written in the largest unit that keeps them whole", () => {
	assert.equal(formatDuration(90_000), "90s");
	assert.equal(formatDuration(300_000), "5m");
	assert.equal(formatDuration(86_400_000), "24h");
	assert.equal(formatDuration(0), "0ms");
	assert.equal(formatSize(1536), "1536B");
	assert.equal(formatSize(1024 ** 3), "1GiB");
});

test("written amounts read back", () => {
	fc.assert(
		fc.property(fc.integer({ min: 0, max: 999_999_999 }), (amount) => {
			assert.equal(parseDuration(formatDuration(amount)), amount);
			assert.equal(parseSize(formatSize(amount)), amount);
		}),
	);
});
