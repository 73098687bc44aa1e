import { getHeapStatistics } from "node:v8";
import type { Clock } from "./clock.ts";

/** A process, as far as its memory is looked after. */
export interface CollectedProcess {
	readonly clock: Clock;
	/** Share of the time since the last look that its thread was at work, 0 to 1. */
	workShare(): number;
	/** Whether somebody waits for something. */
	isAwaited(): boolean;
	/** Memory that its heap has, and what lies outside of it. */
	heapBytes(): number;
	/** Gives back what it can; nothing else is done meanwhile. */
	collect(): void;
}

/** How long nothing happens before the first time, and before every other. */
const quiet_first_ms = 500;
const quiet_ms = 10_000;
/** A thread that worked more than this was not idle. */
const work_share_max = 0.05;
/** Less than this is not worth the time. */
const grown_bytes_min = 6 * 1024 ** 2;

/**
 * Gives back memory in moments in which nobody waits: once after the start, and later whenever work
 * that has left something behind is over. V8 would keep it for minutes, as it does not know what is
 * a pause: in it, it takes a tenth of a second, which is long for a call and nothing for one that
 * comes after ten quiet seconds. Returns what ends it.
 */
export function collectWhenIdle(process: CollectedProcess): () => void {
	const { clock } = process;
	let left_bytes = 0;
	let wait_ms = quiet_first_ms;
	process.workShare();
	const look = () => {
		const is_idle = process.workShare() <= work_share_max;
		const has_grown = process.heapBytes() - left_bytes >= grown_bytes_min;
		if (is_idle && has_grown && !process.isAwaited()) {
			process.collect();
			left_bytes = process.heapBytes();
			wait_ms = quiet_ms;
		}
		timer = clock.afterIdle(wait_ms, look);
	};
	let timer = clock.afterIdle(wait_ms, look);
	return () => timer.cancel();
}

/** The thread that asks; undefined where the process was not started so that it can. */
export function thisProcess(clock: Clock, isAwaited: () => boolean): CollectedProcess | undefined {
	const { gc } = globalThis;
	if (gc === undefined) return undefined;
	let known = performance.eventLoopUtilization();
	return {
		clock,
		isAwaited,
		workShare() {
			const now = performance.eventLoopUtilization();
			const { utilization } = performance.eventLoopUtilization(now, known);
			known = now;
			return utilization;
		},
		heapBytes() {
			const { total_heap_size, external_memory } = getHeapStatistics();
			return total_heap_size + external_memory;
		},
		// The other kinds of collection leave the heap as large as it has been.
		collect: () => gc({ type: "major", execution: "sync", flavor: "last-resort" }),
	};
}
