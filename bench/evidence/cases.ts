import type { HostingCase } from "../hosting/measured.ts";
import { measureCost } from "./cost.ts";
import { measureHistory } from "./history.ts";
import { measureEvidenceLoad } from "./load.ts";
import { measureTraces } from "./traces.ts";

/** What evidence costs: the main thread for each call, and the history to be searched. */
export const evidence_cases: readonly HostingCase[] = [
	{
		name: "evidence-read",
		title:
			"call log, audit, metrics and a trace of a call that reads, CPU µs of the main thread, of all",
		measure: () => measureCost("read"),
	},
	{
		name: "evidence-write",
		title: "the same of one that is written before and after, and how long it waits",
		measure: () => measureCost("costly"),
	},
	{
		name: "evidence-trace",
		title:
			"CPU µs of the main thread to count a call, and of another to make its trace of three spans",
		measure: () => Promise.resolve(measureTraces()),
	},
	{
		name: "evidence-load",
		title: "latency and CPU at a rate of calls, nothing kept of them (off) and everything (on)",
		measure: (check) => measureEvidenceLoad(check),
	},
	{
		name: "history",
		title: "bytes a call in the history, and how long searches take, in ms",
		measure: (check) => measureHistory(check ? 100_000 : history_calls),
	},
	{
		name: "history-ten-million",
		title: "the same of ten million calls",
		measure: (check) => (check ? Promise.resolve({}) : measureHistory(10_000_000)),
	},
];

const history_calls = 500_000;
