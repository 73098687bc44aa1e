import assert from "node:assert/strict";
import { test } from "node:test";
import { warm_time_pattern } from "./warm-times.ts";

test("times of the day are accepted, with or without days of the week", () => {
	const times = ["00:00", "23:59", "mon 08:00", "mon-fri 08:00", "sat,sun 10:30"];
	for (const text of times) assert.match(text, warm_time_pattern);
});

test("what is no time of the day is refused", () => {
	const others = ["", "8:00", "24:00", "12:60", "mon", "mon- 08:00", "monday 08:00", "08:00 mon"];
	for (const text of others) assert.doesNotMatch(text, warm_time_pattern);
});
