import { join } from "node:path";
import type { GroupLimits } from "../limits.ts";
import { containment_processes } from "../limits.ts";
import { keyedNumber, readGroupFile, writeGroupFile } from "./files.ts";
import type { GroupPlace, InstanceGroups } from "./instance-groups.ts";
import type { GroupUse } from "./tier.ts";

/** Length of the period over which processor time is counted out. */
const cpu_period_us = 100_000;
/** The kernel takes no less processor time than this in a period. */
const cpu_quota_us_min = 1_000;

/** Sets what holds from the beginning. The uses for which that failed, with the error's code. */
export function setStartLimits(groups: InstanceGroups, limits: GroupLimits): LimitFailure[] {
	const failures: LimitFailure[] = [];
	const { memory_bytes_max, processes_max } = limits;
	if (memory_bytes_max !== undefined) {
		set(groups, failures, "memory", (place) => setMemory(place, memory_bytes_max));
	}
	if (processes_max !== undefined) {
		set(groups, failures, "pids", ({ folder }) =>
			writeGroupFile(join(folder, "pids.max"), String(processes_max + containment_processes)),
		);
	}
	return failures;
}

/** Sets the share of processor cores; a start is hungry, so this comes after it. */
export function setCpuLimit(groups: InstanceGroups, cpus_max: number): LimitFailure[] {
	const failures: LimitFailure[] = [];
	const quota_us = String(Math.max(cpu_quota_us_min, Math.round(cpus_max * cpu_period_us)));
	set(groups, failures, "cpu", ({ version, folder }) =>
		version === 2
			? writeGroupFile(join(folder, "cpu.max"), `${quota_us} ${cpu_period_us}`)
			: (writeGroupFile(join(folder, "cpu.cfs_period_us"), String(cpu_period_us)) ??
				writeGroupFile(join(folder, "cpu.cfs_quota_us"), quota_us)),
	);
	return failures;
}

/** A limit that could not be set although the machine can. */
export interface LimitFailure {
	readonly use: GroupUse;
	readonly code: string;
}

function set(
	groups: InstanceGroups,
	failures: LimitFailure[],
	use: GroupUse,
	write: (place: GroupPlace) => string | undefined,
): void {
	const place = groups.place(use);
	const code = place === undefined ? "no group" : write(place);
	if (code !== undefined) {
		failures.push({ use, code });
	}
}

/**
 * Memory, and swap with it: what is swapped out is still in use. Version 1 limits the sum;
 * version 2 limits swap by itself, and there none may be used while the instance is awake. The
 * files for swap are missing where the kernel does not account for it, which is fine.
 */
function setMemory({ version, folder }: GroupPlace, bytes: number): string | undefined {
	const text = String(bytes);
	if (version === 2) {
		const code = writeGroupFile(join(folder, "memory.max"), text);
		writeGroupFile(join(folder, "memory.swap.max"), "0");
		return code;
	}
	const code = writeGroupFile(join(folder, "memory.limit_in_bytes"), text);
	writeGroupFile(join(folder, "memory.memsw.limit_in_bytes"), text);
	return code;
}

/** How often the kernel had to act on a limit of the groups. */
export interface LimitEvents {
	/** Members that were killed because memory had run out. */
	readonly memory_kills: number;
	/** Processes or threads that were not allowed to be made. */
	readonly refused_forks: number;
}

/** Nothing happened. */
export const no_events: LimitEvents = Object.freeze({ memory_kills: 0, refused_forks: 0 });

/** Reads what happened; zeros where there is no such group any more. */
export function readLimitEvents(groups: InstanceGroups): LimitEvents {
	return {
		memory_kills: count(groups.place("memory"), "memory.events", "memory.oom_control", "oom_kill"),
		refused_forks: count(groups.place("pids"), "pids.events", "pids.events", "max"),
	};
}

function count(place: GroupPlace | undefined, v2: string, v1: string, key: string): number {
	if (place === undefined) {
		return 0;
	}
	const text = readGroupFile(join(place.folder, place.version === 2 ? v2 : v1));
	return keyedNumber(text ?? "", key) ?? 0;
}
