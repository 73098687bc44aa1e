import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { nextWarmTime, parseWarmTime, type WarmTime, warm_time_pattern } from "./warm-times.ts";

const minute_ms = 60_000;
const hour_ms = 60 * minute_ms;
const names = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"];

function times(...texts: string[]): WarmTime[] {
	return texts.map((text) => {
		const parsed = parseWarmTime(text);
		assert.ok(parsed !== undefined, text);
		return parsed;
	});
}

const daysOf = (text: string) => [...(times(text)[0] as WarmTime).days].sort();

/** How far a zone is ahead, from what its clocks show. */
function zone(name: string) {
	const format = new Intl.DateTimeFormat("en-CA", {
		timeZone: name,
		dateStyle: "short",
		timeStyle: "medium",
		hourCycle: "h23",
	});
	return (at_ms: number) => {
		const [date, time] = format.format(at_ms).split(", ");
		const shown_ms = Date.parse(`${date}T${time}Z`);
		return Math.round((shown_ms - at_ms) / minute_ms) * minute_ms;
	};
}

test("days are single, lists and ranges, also over the end of the week", () => {
	assert.deepEqual(daysOf("08:00"), [0, 1, 2, 3, 4, 5, 6]);
	assert.deepEqual(daysOf("mon-fri 08:00"), [1, 2, 3, 4, 5]);
	assert.deepEqual(daysOf("sat,sun 10:30"), [0, 6]);
	assert.deepEqual(daysOf("fri-mon 00:00"), [0, 1, 5, 6]);
	assert.deepEqual(daysOf("mon-tue,fri 23:59"), [1, 2, 5]);
	assert.deepEqual(daysOf("wed-wed 12:00"), [3]);
	assert.equal(times("mon-fri 23:59")[0]?.minute, 23 * 60 + 59);
});

test("what does not have the form is no time", () => {
	for (const text of [
		"",
		"8:00",
		"24:00",
		"08:60",
		"mon",
		"day 08:00",
		"mon- 08:00",
		"08:00 mon",
	]) {
		assert.equal(parseWarmTime(text), undefined, text);
	}
});

test("whatever the pattern lets through is understood", () => {
	fc.assert(
		fc.property(fc.stringMatching(warm_time_pattern), (text) => {
			const { days, minute } = times(text)[0] as WarmTime;
			assert.ok(days.size > 0 && [...days].every((day) => day >= 0 && day < 7));
			assert.ok(minute >= 0 && minute < 24 * 60);
			for (const [day, name] of names.entries()) if (text.includes(name)) assert.ok(days.has(day));
		}),
	);
});

test("the next time is the first minute from now on at which clocks show one", () => {
	const time = fc.record({
		days: fc.uniqueArray(fc.nat(6), { minLength: 1 }).map((days) => new Set(days)),
		minute: fc.nat(24 * 60 - 1),
	});
	const from_ms = Date.UTC(2026, 0, 1);
	fc.assert(
		fc.property(
			fc.array(time, { minLength: 1, maxLength: 3 }),
			fc.integer({ min: from_ms, max: from_ms + 400 * 24 * hour_ms }),
			fc.integer({ min: -14 * 4, max: 14 * 4 }).map((quarters) => quarters * 15 * minute_ms),
			(wanted, after_ms, offset_ms) => {
				let at_ms = Math.floor(after_ms / minute_ms) * minute_ms + minute_ms;
				const fits = () => {
					const shown = new Date(at_ms + offset_ms);
					const minute = shown.getUTCHours() * 60 + shown.getUTCMinutes();
					return wanted.some((one) => one.minute === minute && one.days.has(shown.getUTCDay()));
				};
				while (!fits()) at_ms += minute_ms;
				assert.equal(
					nextWarmTime(wanted, after_ms, () => offset_ms),
					at_ms,
				);
			},
		),
		{ numRuns: 50 },
	);
});

test("where the clocks are moved, every day has its time once, and it is shown if it exists", () => {
	for (const name of ["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kolkata"]) {
		const offsetAt = zone(name);
		for (const text of ["02:30", "00:00"]) {
			const [wanted] = times(text);
			let at_ms = Date.UTC(2026, 0, 1);
			let skipped = 0;
			for (let day = 0; day < 365; day++) {
				const next_ms = nextWarmTime([wanted as WarmTime], at_ms, offsetAt) as number;
				if (day > 0) assert.ok(next_ms - at_ms >= 22 * hour_ms && next_ms - at_ms <= 26 * hour_ms);
				const shown = new Date(next_ms + offsetAt(next_ms));
				const minute = shown.getUTCHours() * 60 + shown.getUTCMinutes();
				if (minute !== wanted?.minute) skipped += 1;
				at_ms = next_ms;
			}
			assert.ok(skipped <= 1, `${name} ${text}`);
		}
	}
});

test("without a time there is no next one", () => {
	assert.equal(
		nextWarmTime([], 0, () => 0),
		undefined,
	);
});
