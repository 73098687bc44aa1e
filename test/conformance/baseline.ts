import { parse } from "yaml";
import type { LegOutcome } from "./legs.ts";

/** A scenario that is known to fail, and why. */
export interface KnownFailure {
	readonly set: string;
	readonly leg: string;
	readonly scenario: string;
	readonly reason: string;
}

/** How the outcomes compare with what is known. */
export interface Comparison {
	/** Failures nobody has explained. */
	readonly unexpected: readonly { row: LegOutcome; scenario: string; problem: string }[];
	/** Failures that the baseline explains. */
	readonly known: readonly KnownFailure[];
	/** Entries of the baseline whose scenario passes by now; they have to go. */
	readonly stale: readonly KnownFailure[];
}

/** An entry of the file: scenarios of one row that fail for one reason. */
interface Entry {
	readonly set: string;
	readonly leg: string;
	readonly scenarios: readonly string[];
	readonly reason: string;
}

/** A reason shorter than this says nothing. */
const reason_chars_min = 20;

/** Reads a list of known failures; every entry has to say why. */
export function readBaseline(text: string): KnownFailure[] {
	const entries = (parse(text) ?? []) as Partial<Entry>[];
	return entries.flatMap((entry) => {
		const { set, leg, scenarios = [], reason = "" } = entry;
		if (!set || !leg || scenarios.length === 0 || reason.length < reason_chars_min) {
			throw new Error(`This entry of the baseline is incomplete: ${JSON.stringify(entry)}`);
		}
		return scenarios.map((scenario) => ({ set, leg, scenario, reason: reason.trim() }));
	});
}

/** Sorts what failed into known and unexpected, and finds entries that no longer hold. */
export function compare(
	rows: readonly LegOutcome[],
	baseline: readonly KnownFailure[],
): Comparison {
	const find = (row: LegOutcome, scenario: string) =>
		baseline.find(
			(known) => known.set === row.set && known.leg === row.leg && known.scenario === scenario,
		);
	const unexpected: { row: LegOutcome; scenario: string; problem: string }[] = [];
	const known: KnownFailure[] = [];
	const stale: KnownFailure[] = [];
	for (const row of rows) {
		for (const { scenario, problems } of row.outcomes) {
			const entry = find(row, scenario);
			if (problems.length === 0) {
				if (entry !== undefined) stale.push(entry);
			} else if (entry === undefined) {
				unexpected.push({ row, scenario, problem: problems.join("\n") });
			} else {
				known.push(entry);
			}
		}
	}
	return { unexpected, known, stale };
}
