/**
 * A time of the day at which a server is warmed, in the machine's local time: `08:00`, or on
 * some days of the week only, as in `mon-fri 08:00` and `sat,sun 10:30`.
 */
export const warm_time_pattern =
	/^((?:mon|tue|wed|thu|fri|sat|sun)(?:[-,](?:mon|tue|wed|thu|fri|sat|sun))*\s+)?([01]\d|2[0-3]):([0-5]\d)$/;

const day_names = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"];
const minute_ms = 60_000;
const day_ms = 24 * 60 * minute_ms;

/** A time of the day, on some days of the week. */
export interface WarmTime {
	/** 0 is Sunday. */
	readonly days: ReadonlySet<number>;
	/** Minutes since midnight. */
	readonly minute: number;
}

/** How far local time is ahead of UTC at a moment, in milliseconds. */
export type OffsetAt = (at_ms: number) => number;

/** What a text stands for; undefined where it does not have the form. */
export function parseWarmTime(text: string): WarmTime | undefined {
	const found = warm_time_pattern.exec(text);
	if (found === null) return undefined;
	const [, days, hours, minutes] = found;
	return { days: parseDays(days?.trim()), minute: 60 * Number(hours) + Number(minutes) };
}

function parseDays(text: string | undefined): ReadonlySet<number> {
	if (text === undefined) return new Set(day_names.keys());
	const days = new Set<number>();
	for (const part of text.split(",")) {
		const ends = part.split("-").map((name) => day_names.indexOf(name));
		let day = ends[0] as number;
		days.add(day);
		// `fri-mon` goes over the end of the week.
		for (const end of ends) {
			while (day !== end) {
				day = (day + 1) % 7;
				days.add(day);
			}
		}
	}
	return days;
}

/**
 * The first of these times after a moment, in wall-clock milliseconds; undefined without any.
 * A time that the clocks skip counts as later by as much as they skip, and one that comes twice
 * in a night counts once.
 */
export function nextWarmTime(
	times: readonly WarmTime[],
	after_ms: number,
	offsetAt: OffsetAt,
): number | undefined {
	const today = Math.floor((after_ms + offsetAt(after_ms)) / day_ms);
	let next_ms: number | undefined;
	// Yesterday's may still come where the clocks were moved; eight days on, every day was there.
	for (let day = today - 1; day <= today + 8; day++) {
		for (const { days, minute } of times) {
			if (!days.has(weekday(day))) continue;
			const at_ms = momentOf(day * day_ms + minute * minute_ms, offsetAt);
			if (at_ms > after_ms && at_ms < (next_ms ?? Number.POSITIVE_INFINITY)) next_ms = at_ms;
		}
	}
	return next_ms;
}

/** The first of January 1970 was a Thursday. */
function weekday(day: number): number {
	return (day + 4) % 7;
}

/** When local clocks show this, given as if they were UTC. */
function momentOf(shown_ms: number, offsetAt: OffsetAt): number {
	const guess_ms = shown_ms - offsetAt(shown_ms);
	return shown_ms - offsetAt(guess_ms);
}
