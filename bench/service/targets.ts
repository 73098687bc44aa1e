import type { CaseResult, Target } from "../targets.ts";

/** The case, the value of it, what that is, what is promised, and what a busy machine must hold. */
type Row = readonly [name: string, value: string, what: string, limit: number, check: number];

const rows: readonly Row[] = [
	["latency-added", "stdio_added_p50_ms", "ms more than the server itself, stdio, p50", 0.3, 5],
	["latency-added", "stdio_added_p99_ms", "ms more than the server itself, stdio, p99", 1.5, 100],
	["latency-added", "http_added_p50_ms", "ms more than the server itself, HTTP, p50", 0.3, 5],
	["latency-added", "http_added_p99_ms", "ms more than the server itself, HTTP, p99", 1.5, 100],
	["burst-50", "unanswered", "of 50 calls to a stopped server, without answer", 0, 0],
	["hot-tenant", "times_baseline", "of others' p99 beside a tenant at ten times its share", 2, 20],
	["soak", "lost", "calls of the soak without an answer", 0, 0],
	["soak", "processes_left", "processes left after the soak", 0, 0],
	["soak", "descriptors_left", "descriptors left after the soak", 0, 10],
];

/** Everything that is promised of single callers, and of a long run. */
export const service_targets: readonly Target[] = [
	...rows.map(
		([name, value, what, limit, check]): Target => ({
			...{ name, what, at: "most", limit, check },
			read: (result: CaseResult) => result.values[value] ?? null,
		}),
	),
	{
		name: "soak",
		what: "MiB more with every 100,000 calls, beyond what noise explains",
		at: "most",
		limit: 0,
		check: 2,
		read: ({ values }) => {
			const [slope, noise] = [values["slope_mb_per_100k"], values["slope_noise_mb_per_100k"]];
			return slope === undefined || noise === undefined ? null : Math.max(0, slope - noise);
		},
	},
];

/** Cases that a check runs. */
export const checked_service_cases: ReadonlySet<string> = new Set(["latency-added", "burst-50"]);
