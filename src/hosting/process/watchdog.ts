import type { Clock, Timer } from "../../lib/clock.ts";
import { diskUsage, unnamedUsage } from "./disk-usage.ts";
import {
	diskReason,
	memoryReason,
	processesReason,
	uncountedNote,
	uncountedReason,
} from "./end-reason.ts";
import type { WatchedLimits } from "./limits.ts";
import { containment_processes } from "./limits.ts";
import { processUsage, taskCount } from "./usage.ts";

/** One instance that is looked after. */
export interface Watched {
	readonly limits: WatchedLimits;
	/** Folders whose contents count for the limit on disk space. */
	readonly folders: readonly string[];
	/** Asleep, it can use up nothing, and is left alone. */
	asleep(): boolean;
	/** Pids of all its processes. */
	pids(): Promise<readonly number[]>;
	/** Ends it; the reason goes on after its name: `ran out of memory (limit 1GiB)`. */
	end(reason: string): void;
	/** Takes what people should know of how its limits hold. */
	note?(text: string): void;
}

/** Time between two looks at memory and processes. */
const look_ms = 1_000;
/** A look at a disk takes time; the time until the next is at least this many times that. */
const disk_rest_factor = 20;

/**
 * Ends instances that use up more than they may, where no control group does. One for all
 * instances; it does nothing while none is awake.
 */
export class Watchdog {
	readonly #clock: Clock;
	readonly #entries = new Map<Watched, DiskRest>();
	#timer: Timer | undefined;
	#closed = false;

	constructor(clock: Clock) {
		this.#clock = clock;
	}

	/** Begins to look after an instance; the returned function ends that. */
	watch(entry: Watched): () => void {
		const { memory_bytes_max, processes_max, disk_bytes_max } = entry.limits;
		if ([memory_bytes_max, processes_max, disk_bytes_max].every((one) => one === undefined)) {
			return () => {};
		}
		this.#entries.set(entry, { until_ms: 0, noted: false });
		this.#arm();
		return () => {
			this.#entries.delete(entry);
		};
	}

	/** Stops looking. */
	close(): void {
		this.#closed = true;
		this.#timer?.cancel();
		this.#timer = undefined;
		this.#entries.clear();
	}

	/** One look at everything; the timer does it once a second. */
	async look(): Promise<void> {
		for (const [entry, rest] of [...this.#entries]) {
			if (entry.asleep() || !this.#entries.has(entry)) {
				continue;
			}
			const reason = (await usedUp(entry)) ?? (await this.#diskUsedUp(entry, rest));
			if (reason !== undefined && this.#entries.delete(entry)) {
				entry.end(reason);
			}
		}
	}

	async #diskUsedUp(entry: Watched, rest: DiskRest): Promise<string | undefined> {
		const limit = entry.limits.disk_bytes_max;
		const started_ms = this.#clock.monotonic();
		if (limit === undefined || started_ms < rest.until_ms) {
			return undefined;
		}
		const { bytes, complete } = await diskUsage(entry.folders, limit);
		const unnamed = process.platform === "linux" ? unnamedUsage : async () => 0;
		const total = bytes + (bytes > limit ? 0 : await unnamed(await entry.pids(), entry.folders));
		const now_ms = this.#clock.monotonic();
		rest.until_ms = now_ms + (now_ms - started_ms) * disk_rest_factor;
		if (total > limit) return diskReason(limit);
		if (complete) return undefined;
		// What cannot be counted could be anything.
		if (entry.limits.required) return uncountedReason(limit);
		if (!rest.noted) entry.note?.(uncountedNote(limit));
		rest.noted = true;
		return undefined;
	}

	#arm(): void {
		if (this.#timer !== undefined || this.#closed || this.#entries.size === 0) {
			return;
		}
		this.#timer = this.#clock.afterIdle(look_ms, () => {
			void this.look().finally(() => {
				this.#timer = undefined;
				this.#arm();
			});
		});
	}
}

interface DiskRest {
	/** The disk is not looked at again before this time. */
	until_ms: number;
	/** Whether it was said that not everything can be counted. */
	noted: boolean;
}

async function usedUp({ limits, pids }: Watched): Promise<string | undefined> {
	const { memory_bytes_max, processes_max } = limits;
	if (memory_bytes_max === undefined && processes_max === undefined) {
		return undefined;
	}
	const all = await pids();
	if (memory_bytes_max !== undefined && processUsage(all).memory_bytes > memory_bytes_max) {
		return memoryReason(memory_bytes_max);
	}
	return processes_max !== undefined && taskCount(all) > processes_max + containment_processes
		? processesReason(processes_max)
		: undefined;
}
