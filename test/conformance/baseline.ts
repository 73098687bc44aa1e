import { readFileSync } from "node:fs";
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

/** Reads the list of known failures; every entry has to say why. */
export function readBaseline(path: URL): KnownFailure[] {
	const entries = (parse(readFileSync(path, "utf8")) ?? []) as Partial<KnownFailure>[];
	return entries.map((entry) => {
		const { set, leg, scenario, reason } = entry;
		if (!set || !leg || !scenario || !reason || reason.length < 20) {
			throw new Error(`An entry of ${path.pathname} is incomplete: ${JSON.stringify(entry)}`);
		}
		return { set, leg, scenario, reason };
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
