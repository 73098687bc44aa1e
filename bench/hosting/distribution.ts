import { median, rounded } from "../figures.ts";

/** What is said of repeated measurements, in the order of `values`. */
export interface Distribution {
	readonly count: number;
	readonly p50: number;
	readonly p99: number;
}

/** The distribution of these measurements; there is at least one. */
export function distributionOf(values: readonly number[]): Distribution {
	const sorted = values.toSorted((a, b) => a - b);
	const last = sorted.at(-1);
	const middle = median(sorted);
	if (last === undefined || middle === null) throw new Error("nothing was measured");
	// The nearest rank: with fewer than a hundred values it is the largest.
	const p99 = sorted[Math.ceil(sorted.length * 0.99) - 1] ?? last;
	return { count: sorted.length, p50: middle, p99 };
}

/** The same as named values of a case: `frozen_p50_ms`, `frozen_p99_ms`, `frozen_count`. */
export function valuesOf(what: string, times_ms: readonly number[]): Record<string, number> {
	const { count, p50, p99 } = distributionOf(times_ms);
	return {
		[`${what}_p50_ms`]: rounded(p50, 3) as number,
		[`${what}_p99_ms`]: rounded(p99, 3) as number,
		[`${what}_count`]: count,
	};
}
