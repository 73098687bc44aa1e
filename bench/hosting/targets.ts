import { ratio } from "../figures.ts";
import type { CaseResult, Target } from "../targets.ts";

/** The case, the value of it, what that is, what is promised, and what a busy machine must hold. */
type Row = readonly [name: string, value: string, what: string, limit: number, check: number];

/*
 * A wake that became a start, or a list that wakes, is past the last column on any machine; a
 * machine that is busy with other things is not.
 */
const rows: readonly Row[] = [
	["hosting-frozen", "frozen_p50_ms", "ms to a frozen server's answer, p50", 1.5, 20],
	["hosting-frozen", "frozen_p99_ms", "ms to a frozen server's answer, p99", 10, 200],
	["hosting-reclaimed", "reclaimed_p50_ms", "ms to a reclaimed server's answer, p50", 15, 100],
	["hosting-list-asleep", "list_p50_ms", "ms to the list of a stopped server, p50", 2, 20],
	["hosting-list-asleep", "woken", "servers that a list has woken", 0, 0],
	["hosting-npm", "unbundled_p50_ms", "ms to a stopped npm server's answer, p50", 250, 2_000],
	["hosting-npm", "bundled_p50_ms", "ms to a bundled one's answer, p50", 120, 1_000],
	["hosting-sandbox", "added_ms", "ms that the sandbox adds to a start", 15, 100],
	["hosting-50-starts", "unanswered", "of 50 that start at once, without answer", 0, 0],
	["hosting-50-starts", "restarts", "of 50 that start at once, restarted", 0, 0],
	["hosting-fork", "shared_p50_ms", "ms to a fork with 100 MB, blocks shared", 60, 500],
	["hosting-300-asleep", "rss_mb", "MiB of the gateway, 300 servers asleep", 143, 180],
	["hosting-300-asleep", "cpu_percent", "percent of a core, 300 servers asleep", 1, 5],
	["hosting-200-cycling", "grown_late_mb", "MiB more by the second half hour", 30, 60],
	["hosting-200-cycling", "grown_descriptors", "descriptors more after them", 0, 10],
];

/** Everything that is promised of hosting. */
export const hosting_targets: readonly Target[] = [
	...rows.map(
		([name, value, what, limit, check]): Target => ({
			...{ name, what, at: "most", limit, check },
			read: (result: CaseResult) => result.values[value] ?? null,
		}),
	),
	{
		name: "hosting-frozen",
		what: "a frozen server's answer, in answers of one that runs, p50",
		at: "most",
		limit: 5,
		check: 20,
		read: ({ values }) => ratio(values["frozen_p50_ms"], values["warm_p50_ms"]),
	},
];

/** Cases that a check runs: the others take too long, or need what is not everywhere. */
export const checked_hosting_cases: ReadonlySet<string> = new Set([
	"hosting-frozen",
	"hosting-list-asleep",
	"hosting-300-asleep",
]);
