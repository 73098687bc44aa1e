import type { HostingCase } from "../hosting/measured.ts";
import type { CaseResult, Target } from "../targets.ts";
import { measureChecks, measurePeople } from "./cost.ts";
import { measureMany } from "./many.ts";

/** What policy costs: all checks of a call together, and many rules and people. */
export const policy_cases: readonly HostingCase[] = [
	{
		name: "policy-checks",
		title: "ten rules, a limit and the schema of an argument of 1 KB, for a caller who is known",
		measure: (short) => measureChecks(short),
	},
	{
		name: "policy-many",
		title: "100,000 stored people and 10,000 rules: loading them, and a first call of each",
		measure: async () => ({ ...(await measureMany()), ...measurePeople() }),
	},
];

/** The case, the value of it, what that is, what is promised, and what a busy machine must hold. */
const rows = [
	["policy-checks", "cpu_us", "us of CPU that all checks add to a call", 8, 24],
	["policy-many", "load_cpu_ms", "ms of CPU to load 100,000 people and 10,000 rules", 1_000, 3_000],
	["policy-many", "memory_mb", "MiB that both take", 200, 200],
] as const;

/** What is promised of it. */
export const policy_targets: readonly Target[] = rows.map(([name, value, what, limit, check]) => ({
	...{ name, what, limit, check },
	at: "most",
	read: ({ values }: CaseResult) => values[value] ?? null,
}));

/** Cases that a check runs. */
export const checked_policy_cases: ReadonlySet<string> = new Set(["policy-checks", "policy-many"]);
