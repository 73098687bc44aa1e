import { monitorEventLoopDelay } from "node:perf_hooks";

/** How late timers were since it was read last, in seconds. */
export interface LoopDelay {
	readonly p50_s: number;
	readonly p99_s: number;
	readonly max_s: number;
}

/** Watches how late the event loop is. */
export interface LoopWatch {
	read(): LoopDelay;
	stop(): void;
}

const resolution_ms = 20;
const nanos_per_s = 1e9;

/** Begins to watch; costs a timer every 20 milliseconds. */
export function watchEventLoop(): LoopWatch {
	const histogram = monitorEventLoopDelay({ resolution: resolution_ms });
	histogram.enable();
	/** What is counted is the time between two timers: the time they are set to is no delay. */
	const delay = (nanos: number) =>
		Math.max(0, (Number.isFinite(nanos) ? nanos : 0) / nanos_per_s - resolution_ms / 1_000);
	return {
		read() {
			const read = {
				p50_s: delay(histogram.percentile(50)),
				p99_s: delay(histogram.percentile(99)),
				max_s: histogram.count === 0 ? 0 : delay(histogram.max),
			};
			histogram.reset();
			return read;
		},
		stop: () => void histogram.disable(),
	};
}
