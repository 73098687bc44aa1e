import type { HostingCase } from "../hosting/measured.ts";
import { measureRedaction } from "./redaction.ts";

/** What taking secrets out costs. */
export const secret_cases: readonly HostingCase[] = [
	{
		name: "redaction",
		title: "CPU µs for each KB of a log that holds no secret, with 1,000 secrets known",
		measure: () => measureRedaction(),
	},
];
