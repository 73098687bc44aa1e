import type { HostingCase } from "../hosting/measured.ts";
import type { Target } from "../targets.ts";
import { measureRedaction } from "./redaction.ts";

/** What taking secrets out costs. */
export const secret_cases: readonly HostingCase[] = [
	{
		name: "redaction",
		title: "CPU µs for each KB of a log that holds no secret, with 1,000 secrets known",
		measure: () => measureRedaction(),
	},
];

/** What is promised of it. */
export const secret_targets: readonly Target[] = ["text", "bytes"].map((what) => ({
	...{ name: "redaction", what: `µs for a KB of ${what}, 1,000 secrets known` },
	...{ at: "most", limit: 5, check: 20 },
	read: ({ values }) => values[`${what}_us_per_kb`] ?? null,
}));
