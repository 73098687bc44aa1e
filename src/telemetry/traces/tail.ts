import type { CallRecord } from "../call-record.ts";
import { hexNumber } from "./hex.ts";

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
/** Digits that fit into a small integer. */
const digits_low = 7;
const low_scale = 2 ** (4 * digits_low);
const chance_scale = 2 ** (4 * digits_used);

/**
 * Whether a trace belongs to the share. It follows from its id, so that everybody who takes the
 * same share takes the same traces.
 */
export function isChosen(trace_id: string, ratio: number): boolean {
	if (ratio >= 1) return true;
	const end = trace_id.length;
	const between = end - digits_low;
	const high = hexNumber(trace_id, end - digits_used, between);
	return (high * low_scale + hexNumber(trace_id, between, end)) / chance_scale < ratio;
}
