import type { HostingCase } from "../hosting/measured.ts";
import { measureChecks, measureLoad } from "./cost.ts";

/** What policy costs: all checks of a call together, and many rules and people. */
export const policy_cases: readonly HostingCase[] = [
	{
		name: "policy-checks",
		title: "ten rules, a limit and the schema of an argument of 1 KB, CPU µs a call (at most 8)",
		measure: (short) => Promise.resolve(measureChecks(short)),
	},
	{
		name: "policy-many",
		title: "10,000 rules to load (at most 1 s), a call of each of 100,000 people, and memory",
		measure: () => Promise.resolve(measureLoad()),
	},
];
