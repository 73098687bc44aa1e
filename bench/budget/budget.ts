import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

/** What the CPU time of a call may be, in calls of the bare ceiling that ran beside it. */
export interface Budget {
	/** The day it was set: set anew with the same figures, it is another one all the same. */
	readonly set: string;
	/**
	 * How much more than its budget a stage may show in one run: less than the regression that has
	 * to be found, and more than what the best of several rounds still has of noise.
	 */
	readonly tolerance: number;
	/** By stage; each has everything that those before it have. */
	readonly stages: Readonly<Record<string, StageBudget>>;
}

/** One stage. */
export interface StageBudget {
	/** What is on in it, for people. */
	readonly what: string;
	/** CPU time of a call, in calls of the ceiling. */
	readonly of_ceiling: number;
}

/** How one stage came out. */
export interface BudgetVerdict {
	readonly stage: string;
	readonly what: string;
	/** Null where it, or the ceiling, was not measured. */
	readonly of_ceiling: number | null;
	readonly budget: number;
	/** The most that passes. */
	readonly limit: number;
	/** CPU time of a call, in calls of the earlier gateway; null where that was not measured. */
	readonly of_earlier: number | null;
	readonly passed: boolean;
}

/** What the sides of the earlier gateway are called: this, and the stage. */
export const earlier_prefix = "earlier ";

/**
 * CPU microseconds of a call, one value a round, by side; `ceiling` among them, and each stage of
 * the earlier gateway where there is one.
 */
export type Rounds = Readonly<Record<string, readonly number[]>>;

const file = fileURLToPath(new URL("../budget.json", import.meta.url));

/** The budget that holds. */
export function readBudget(): Budget {
	return JSON.parse(readFileSync(file, "utf8")) as Budget;
}

/**
 * Holds rounds against a budget. Of each side the best round counts: whatever else runs on the
 * machine makes a call dearer and never cheaper, so the best round is the one that was disturbed
 * the least, and more rounds only bring it nearer to the truth.
 */
export function judgeBudget({ tolerance, stages }: Budget, rounds: Rounds): BudgetVerdict[] {
	const ceiling = best(rounds["ceiling"]);
	return Object.entries(stages).map(([stage, { what, of_ceiling: budget }]) => {
		const own = best(rounds[stage]);
		const of_ceiling = own === undefined || ceiling === undefined ? null : own / ceiling;
		const limit = budget * tolerance;
		const before = best(rounds[`${earlier_prefix}${stage}`]);
		const of_earlier = own === undefined || before === undefined ? null : own / before;
		const passed =
			of_ceiling !== null &&
			of_ceiling <= limit &&
			(of_earlier === null || of_earlier <= tolerance);
		return { stage, what, of_ceiling, budget, limit, of_earlier, passed };
	});
}

function best(values: readonly number[] | undefined): number | undefined {
	return values === undefined || values.length === 0 ? undefined : Math.min(...values);
}
