import type { CaseResult, Target } from "../targets.ts";

/** Everything that is promised of the dashboard. */
export const dashboard_targets: readonly Target[] = [
	{
		name: "dashboard-page",
		what: "percent of a core for the page of a busy fleet, the whole process that draws it",
		at: "most",
		limit: 30,
		check: 30,
		read: ({ values }: CaseResult) => values["page_percent"] ?? null,
	},
	{
		name: "dashboard-page",
		what: "p99 of calls while that page is open, of those without it",
		at: "most",
		limit: 1.1,
		check: 5,
		read: ({ values }: CaseResult) => values["p99_ratio"] ?? null,
	},
	{
		name: "dashboard-open",
		what: "p99 of calls while three dashboards are open elsewhere, of those without",
		at: "most",
		limit: 1.1,
		check: 5,
		read: ({ values }: CaseResult) => values["p99_ratio"] ?? null,
	},
	{
		name: "dashboard-open",
		what: "ms that three open dashboards add to the p99 of calls",
		at: "most",
		limit: 1,
		check: 50,
		read: ({ values }: CaseResult) => {
			const { p99_ms_without: none, p99_ms_with: three } = values;
			return none === undefined || three === undefined ? null : Math.max(0, three - none);
		},
	},
];

/** Cases that a check runs: latency beside a load says nothing on a busy machine. */
export const checked_dashboard_cases: ReadonlySet<string> = new Set(["dashboard-page"]);
