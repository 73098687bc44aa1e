import type { HostingCase } from "../hosting/measured.ts";
import type { Target } from "../targets.ts";
import { measureGrants } from "./grants.ts";
import { measureRedaction } from "./redaction.ts";

/** What taking secrets out costs, and what people's authorizations at remote servers do. */
export const secret_cases: readonly HostingCase[] = [
	{
		name: "redaction",
		title: "CPU µs for each KB of a log that holds no secret, with 1,000 secrets known",
		measure: () => measureRedaction(),
	},
	{
		name: "grants-10000",
		title: "10,000 people's tokens of one provider that end in the same minute",
		measure: () => measureGrants(10_000),
	},
];

const redaction_targets = ["text", "bytes"].map(
	(what): Target => ({
		...{ name: "redaction", what: `µs for a KB of ${what}, 1,000 secrets known` },
		...{ at: "most", limit: 5, check: 20 },
		read: ({ values }) => values[`${what}_us_per_kb`] ?? null,
	}),
);

/** What is promised of it. */
export const secret_targets: readonly Target[] = [
	...redaction_targets,
	{
		...{ name: "grants-10000", what: "requests for renewal at the provider at one time" },
		...{ at: "most", limit: 16, check: 16 },
		read: ({ values }) => values["peak_requests"] ?? null,
	},
	{
		...{ name: "grants-10000", what: "renewals of a token that was renewed already" },
		...{ at: "most", limit: 0, check: 0 },
		read: ({ values }) => values["renewed_twice"] ?? null,
	},
	{
		...{
			name: "grants-10000",
			what: "lines after a renewal that show a token or the vault's value",
		},
		...{ at: "most", limit: 0, check: 0 },
		read: ({ values }) => values["lines_not_redacted"] ?? null,
	},
	{
		...{ name: "grants-10000", what: "µs that a grant which is good adds to a call" },
		...{ at: "most", limit: 2, check: 4 },
		read: ({ values }) => values["warm_us"] ?? null,
	},
];

/** The cases among them that something is promised of. */
export const checked_secret_cases: readonly string[] = secret_cases.map(({ name }) => name);
