import type { ResourcePlan } from "../../config/plan.ts";
import { formatSize } from "../../config/units.ts";
import type { GroupTier } from "./groups/tier.ts";
import { hierarchyFor } from "./groups/tier.ts";
import type { ProcessLimits } from "./launcher.ts";

/** Who sees to each limit of one instance, and what cannot be seen to. */
export interface LimitPlan {
	/** Set on its control groups. */
	readonly group: GroupLimits;
	/** Set on its first process, and inherited by all others. */
	readonly process: ProcessLimits;
	/** Looked after by the watchdog. */
	readonly watched: WatchedLimits;
	/** What a person should know: limits that hold less well than asked for, or not at all. */
	readonly notes: readonly string[];
	/** Limits that nobody here can enforce, in words. */
	readonly unenforced: readonly string[];
}

/** Limits that control groups enforce; undefined ones are not set. */
export interface GroupLimits {
	readonly memory_bytes_max: number | undefined;
	readonly processes_max: number | undefined;
	/** Set once the instance has started. */
	readonly cpus_max: number | undefined;
}

/** Limits that the watchdog enforces. */
export interface WatchedLimits {
	readonly memory_bytes_max: number | undefined;
	readonly processes_max: number | undefined;
	readonly disk_bytes_max: number | undefined;
	/** Whether what cannot be measured counts as too much. */
	readonly required: boolean;
}

/** Node alone needs more than eight threads; below this nothing useful starts. */
export const processes_floor = 32;
/** Processes of the containment itself, which do not count as the server's. */
export const containment_processes = 4;

/** Decides who enforces what, from what is wanted and what the machine has. Pure. */
export function planLimits(
	wanted: ResourcePlan,
	tier: GroupTier,
	platform: NodeJS.Platform,
): LimitPlan {
	const notes: string[] = [];
	const unenforced: string[] = [];
	const has = (use: "memory" | "pids" | "cpu"): boolean => hierarchyFor(tier, use) !== undefined;
	const linux = platform === "linux";
	const { memory_bytes_max, cpus_max, file_bytes_max, descriptors_max, disk_bytes_max } = wanted;

	if (memory_bytes_max !== undefined && !has("memory")) {
		const text = `memory (${formatSize(memory_bytes_max)})`;
		report(text, linux, tier.obstacles.memory);
	}
	const processes_max = flooredProcesses(wanted, notes);
	if (processes_max !== undefined && !has("pids")) {
		report(`processes (${processes_max})`, linux, tier.obstacles.pids);
	}
	if (cpus_max !== undefined && !has("cpu")) {
		report(`processor time (${cpus_max} cores)`, false, tier.obstacles.cpu);
	}
	if (platform === "win32") {
		reportPlain("file size", file_bytes_max);
		reportPlain("open files", descriptors_max);
	}
	return {
		group: {
			memory_bytes_max: has("memory") ? memory_bytes_max : undefined,
			processes_max: has("pids") ? processes_max : undefined,
			cpus_max: has("cpu") ? cpus_max : undefined,
		},
		process: { file_bytes_max, descriptors_max },
		watched: {
			memory_bytes_max: has("memory") || !linux ? undefined : memory_bytes_max,
			processes_max: has("pids") || !linux ? undefined : processes_max,
			disk_bytes_max,
			required: wanted.required,
		},
		notes,
		unenforced,
	};

	function report(text: string, can_watch: boolean, obstacle: string | undefined): void {
		const why = obstacle === undefined ? "" : `: ${obstacle}`;
		if (can_watch) {
			notes.push(`The limit on ${text} is looked at once a second, not enforced at once${why}.`);
		} else {
			unenforced.push(text);
			notes.push(`The limit on ${text} cannot be enforced on this machine${why}.`);
		}
	}

	function reportPlain(name: string, limit: number | undefined): void {
		if (limit !== undefined) {
			report(name, false, undefined);
		}
	}
}

function flooredProcesses({ processes_max }: ResourcePlan, notes: string[]): number | undefined {
	if (processes_max === undefined || processes_max >= processes_floor) {
		return processes_max;
	}
	notes.push(
		`The limit on processes is ${processes_floor} instead of ${processes_max}: ` +
			"threads count too, and Node alone needs more than eight.",
	);
	return processes_floor;
}
