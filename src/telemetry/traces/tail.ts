import type { CallRecord } from "../call-record.ts";

/** Which calls are worth a trace, once it is known how they went. */
export interface TailPlan {
	/** Share of the calls that nothing is wrong with, 0 to 1. */
	readonly ratio: number;
	/** A call that takes at least this long is kept. */
	readonly slow_ms: number;
}

/** What becomes of a call's trace: notable ones go before ordinary ones where there is no room. */
export type Keep = "notable" | "ordinary" | "no";

/** Errors and slow calls are always kept, of the others a share. */
export function keepOf(record: CallRecord, plan: TailPlan): Keep {
	if (record.status !== "ok" || record.duration_ms >= plan.slow_ms) return "notable";
	return isChosen(record.trace_id, plan.ratio) ? "ordinary" : "no";
}

const digits_used = 13;
const chance_scale = 2 ** (4 * digits_used);

/**
 * Whether a trace belongs to the share. It follows from its id, so that everybody who takes the
 * same share takes the same traces.
 */
export function isChosen(trace_id: string, ratio: number): boolean {
	if (ratio >= 1) return true;
	return Number.parseInt(trace_id.slice(-digits_used), 16) / chance_scale < ratio;
}
