import { median, ratio, rounded, type Sample, summarize } from "../figures.ts";

/** Rounds of the same calls while nobody looks, and while somebody does. */
export interface Compared {
	readonly without: readonly Sample[];
	readonly looked_at: readonly Sample[];
}

/**
 * Makes rounds that take turns, so that a machine that is busy for a while is busy for both. The
 * order turns round from one round to the next.
 * @param run makes the calls of one round, looked at or not
 */
export async function inTurns(
	rounds: number,
	run: (looked_at: boolean) => Promise<Sample>,
): Promise<Compared> {
	const without: Sample[] = [];
	const looked_at: Sample[] = [];
	for (let round = 0; round < rounds; round += 1) {
		for (const looks of round % 2 === 0 ? [false, true] : [true, false]) {
			(looks ? looked_at : without).push(await run(looks));
		}
	}
	return { without, looked_at };
}

/**
 * What rounds say of the p99 of calls: the medians of both sides, how often the one goes into the
 * other, and how far the rounds without are from one another (the slowest by the fastest). A ratio
 * within that spread may be the machine's.
 */
export function p99Of({ without, looked_at }: Compared): Readonly<Record<string, number>> {
	const times = without.map(({ p99_ms }) => p99_ms);
	const p99_ms_without = median(times);
	const p99_ms_with = median(looked_at.map(({ p99_ms }) => p99_ms));
	return known({
		p99_ms_without: rounded(p99_ms_without, 3),
		p99_ms_with: rounded(p99_ms_with, 3),
		p99_ratio: rounded(ratio(p99_ms_with, p99_ms_without), 3),
		p99_spread_without: rounded(ratio(Math.max(...times), Math.min(...times)), 3),
	});
}

/**
 * CPU microseconds of the gateway for a call, in the best round of each side: whoever else runs on
 * the machine makes calls dearer, and never cheaper.
 */
export function cpuOfCalls({ without, looked_at }: Compared): Readonly<Record<string, number>> {
	const cpu_us_without = summarize(without).cpu_us_least;
	const cpu_us_with = summarize(looked_at).cpu_us_least;
	return known({
		cpu_us_without,
		cpu_us_with,
		cpu_ratio: rounded(ratio(cpu_us_with, cpu_us_without), 3),
	});
}

/** Values without those that were not measured. */
export function known(
	values: Readonly<Record<string, number | null>>,
): Readonly<Record<string, number>> {
	const there = Object.entries(values).flatMap(([name, value]) =>
		value === null ? [] : [[name, value] as const],
	);
	return Object.fromEntries(there);
}
