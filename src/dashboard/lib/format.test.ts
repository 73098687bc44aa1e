import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import {
	bytes,
	count,
	counted,
	duration,
	exactJson,
	isSameDay,
	percent,
	plain,
	plainLines,
	rate,
	relative,
} from "./format.ts";

test("amounts have three digits at most, and a unit that fits them", () => {
	assert.deepEqual([0, 999, 1536, 18 * 2 ** 20, 3e12].map(bytes), [
		"0 B",
		"999 B",
		"1.5 KB",
		"18 MB",
		"2.7 TB",
	]);
	assert.deepEqual([0.42, 12.3, 999, 1_500, 61_000, 7_260_000, 3e8].map(duration), [
		"0.4 ms",
		"12 ms",
		"999 ms",
		"1.5 s",
		"1 m 1 s",
		"2 h 1 m",
		"3 days",
	]);
	assert.deepEqual([0, 0.0004, 0.0213, 1].map(percent), ["0%", "<0.1%", "2.1%", "100%"]);
	assert.deepEqual([0, 0.05, 0.5, 1204].map(rate), ["0", "<0.1", "0.5", "1204"]);
	assert.deepEqual([5, 1204, 2_500_000].map(count), ["5", "1.2k", "2.5M"]);
});

test("moments of one day are told from those of another", () => {
	const noon = new Date(2026, 10, 28, 12).getTime();
	const hour_ms = 3_600_000;
	assert.deepEqual(
		[0, -11, 11, -13, 13].map((hours) => isSameDay(noon + hours * hour_ms, noon)),
		[true, true, true, false, false],
	);
});

test("times are told by how far they are away", () => {
	const now_ms = 1e12;
	const told = [-2_000, 2_000, -90_000, 60_000, -7_200_000, 172_800_000].map((distance_ms) =>
		relative(now_ms + distance_ms, now_ms),
	);
	assert.deepEqual(told, [
		"just now",
		"in a moment",
		"2 minutes ago",
		"in 1 minute",
		"2 hours ago",
		"in 2 days",
	]);
});

test("no text of a stranger turns writing around, hides, or breaks its line", () => {
	assert.equal(plain("a\u202Eb\u200Bc\nd\u0007"), "a\uFFFDb\uFFFDc d\uFFFD");
	fc.assert(
		fc.property(fc.string({ unit: "binary" }), (text) => {
			assert.doesNotMatch(plain(text), /[\u202A-\u202E\u2066-\u2069\u200B-\u200F\n\r]/);
			assert.ok(plain(text, 10).length <= 11);
			assert.equal(plainLines(text, 1_000).split("\n").length, text.split("\n").length);
		}),
	);
});

test("a value's raw JSON is shown where the value does not say it all", () => {
	const exact = (json: string) => exactJson(json, JSON.parse(json));
	assert.equal(exact('{"a":1,"b":["x"]}'), undefined);
	for (const json of ['{"n":12345678901234567890}', '{"n":1.0}', '{"a":1,"a":2}']) {
		assert.equal(exact(json), json);
	}
	assert.equal(exact('{"to":"a\u202eb\ufeff"}'), '{"to":"a\\u202eb\\ufeff"}');
});

test("one is told as one, and all else as many", () => {
	const told = [0, 1, 2].map((number) => counted(number, "call"));
	assert.deepEqual(told, ["0 calls", "1 call", "2 calls"]);
	assert.deepEqual([counted(1, "is", "are"), counted(2, "is", "are")], ["1 is", "2 are"]);
});
