/** What one contender does in one case; null where it was not measured. */
export interface Figures {
	/** Calls a second. */
	readonly rps: number | null;
	readonly p50_ms: number | null;
	readonly p99_ms: number | null;
	readonly p999_ms: number | null;
	/** CPU microseconds of the server's own process for one call. */
	readonly cpu_us: number | null;
	/** The same of its best round: whoever else runs makes calls dearer, and never cheaper. */
	readonly cpu_us_least: number | null;
	/** Resident memory of the server's own process, in MiB. */
	readonly rss_mb: number | null;
	/** How late the event loop was at p99, by its own account; only Moorage tells. */
	readonly loop_p99_ms: number | null;
}

/** One round of one contender, as it was counted. */
export interface Sample {
	readonly calls: number;
	readonly seconds: number;
	readonly p50_ms: number;
	readonly p99_ms: number;
	readonly p999_ms: number;
	/** CPU time of the process over the round; undefined where the system does not tell. */
	readonly cpu_ms: number | undefined;
	readonly rss_mb: number | undefined;
	readonly loop_p99_ms?: number | undefined;
}

/** The middle value, or the mean of the two in the middle; null when there is none. */
export function median(values: readonly number[]): number | null {
	if (values.length === 0) return null;
	const sorted = values.toSorted((a, b) => a - b);
	const middle = sorted.length >> 1;
	const upper = sorted[middle] as number;
	return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] as number) + upper) / 2;
}

/** The medians of a contender's rounds: one disturbed round says nothing. */
export function summarize(samples: readonly Sample[]): Figures {
	const of = (read: (sample: Sample) => number | undefined, digits: number) => {
		const values = samples.map(read).filter((value) => value !== undefined);
		return rounded(median(values), digits);
	};
	return {
		rps: of(({ calls, seconds }) => calls / seconds, 0),
		p50_ms: of(({ p50_ms }) => p50_ms, 3),
		p99_ms: of(({ p99_ms }) => p99_ms, 3),
		p999_ms: of(({ p999_ms }) => p999_ms, 3),
		cpu_us: of((sample) => cpuPerCall(sample), 1),
		cpu_us_least: rounded(least(samples.flatMap((sample) => cpuPerCall(sample) ?? [])), 1),
		rss_mb: of(({ rss_mb }) => rss_mb, 1),
		loop_p99_ms: of(({ loop_p99_ms }) => loop_p99_ms, 3),
	};
}

function least(values: readonly number[]): number | null {
	return values.length === 0 ? null : Math.min(...values);
}

/** Figures of a case in which only memory counts. */
export function memoryFigures(rss_mb: number | null): Figures {
	const none = {
		rps: null,
		p50_ms: null,
		p99_ms: null,
		p999_ms: null,
		cpu_us: null,
		cpu_us_least: null,
	};
	return { ...none, loop_p99_ms: null, rss_mb: rounded(rss_mb, 1) };
}

/** How often `b` goes into `a`; null where one of them is missing or nothing. */
export function ratio(a: number | null | undefined, b: number | null | undefined): number | null {
	if (a === null || a === undefined || b === null || b === undefined || b === 0) return null;
	return a / b;
}

/** Rounds to so many digits behind the point. */
export function rounded(value: number | null, digits: number): number | null {
	if (value === null) return null;
	const scale = 10 ** digits;
	return Math.round(value * scale) / scale;
}

/** CPU microseconds of one call of a round. */
export function cpuPerCall({ calls, cpu_ms }: Sample): number | undefined {
	return cpu_ms === undefined || calls === 0 ? undefined : (cpu_ms * 1000) / calls;
}
