import type { CaseResult, Target } from "../targets.ts";

/** The case, a value of it, what that is, what is promised, and what a busy machine must hold. */
type Row = readonly [name: string, value: string, what: string, limit: number, check: number];

/*
 * CPU time of a thread grows several times over where others use the caches and the other half
 * of its core. What it is compared with grows too: a trace that is made on the main thread again is
 * past the last column of the second row on any machine.
 */
const rows: readonly Row[] = [
	["evidence-read", "main_cpu_us", "µs of the main thread for all evidence of a read", 5, 40],
	["evidence-read", "times_json", "times what a line by JSON.stringify costs, that", 1.2, 2],
	["evidence-write", "wait_p99_ms", "ms that a call waits for its two entries, p99", 20, 2_000],
	["evidence-write", "wait_in_appends", "times the p99 of an append that it waits", 4, 40],
	["history", "bytes_per_call", "bytes that a call takes in the history", 400, 400],
	["history-ten-million", "bytes_per_call", "bytes that a call takes, ten million kept", 400, 400],
];

/** Everything that is promised of evidence. */
export const evidence_targets: readonly Target[] = [
	...rows.map(
		([name, value, what, limit, check]): Target => ({
			...{ name, what, at: "most", limit, check },
			read: (result: CaseResult) => result.values[value] ?? null,
		}),
	),
	...["history", "history-ten-million"].map(
		(name): Target => ({
			...{ name, what: "ms of the slowest single search", at: "most", limit: 100, check: 150 },
			read: ({ values }) => values["slowest_ms"] ?? null,
			readByCpu: ({ values }) => values["slowest_cpu_ms"] ?? null,
		}),
	),
	{
		name: "evidence-load",
		what: "ms by which p99 with evidence is over the worst round without",
		at: "most",
		limit: 0,
		check: 200,
		read: ({ values }) => {
			const [on, worst] = [values["on_p99_ms"], values["off_p99_most_ms"]];
			return on === undefined || worst === undefined ? null : Math.max(0, on - worst);
		},
	},
];

/** Cases that a check runs: the others take too long. */
export const checked_evidence_cases: ReadonlySet<string> = new Set([
	"evidence-read",
	"evidence-write",
	"evidence-load",
	"history",
]);
