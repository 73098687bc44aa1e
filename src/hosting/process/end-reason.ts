import { formatSize } from "../../config/units.ts";
import type { LimitEvents, LimitFailure } from "./groups/group-limits.ts";
import type { GroupUse } from "./groups/tier.ts";
import { use_words } from "./groups/tier.ts";
import type { LimitPlan } from "./limits.ts";

/**
 * What the limits of an instance had to do with its end, in words that go on after the server's
 * name.
 */

/** How a program ended, and what the kernel did to it before. */
export interface EndOfChild {
	readonly code: number | null;
	readonly signal: string | null;
	readonly events: LimitEvents;
	readonly plan: LimitPlan;
}

/** The limit that ended a program; undefined when none did. */
export function endReason({ code, signal, events, plan }: EndOfChild): string | undefined {
	const { memory_bytes_max, processes_max } = plan.group;
	if (memory_bytes_max !== undefined && events.memory_kills > 0 && signal === "SIGKILL") {
		return memoryReason(memory_bytes_max);
	}
	const { file_bytes_max } = plan.process;
	if (file_bytes_max !== undefined && signal === "SIGXFSZ") {
		return `wrote a file over its limit of ${formatSize(file_bytes_max)}`;
	}
	const failed = signal !== null || (code !== null && code !== 0);
	return processes_max !== undefined && events.refused_forks > 0 && failed
		? processesReason(processes_max)
		: undefined;
}

/** It ran out of memory. */
export function memoryReason(bytes: number): string {
	return `ran out of memory (limit ${formatSize(bytes)})`;
}

/** It had too many processes. */
export function processesReason(processes_max: number): string {
	return `reached its limit of ${processes_max} processes and threads`;
}

/** It wrote too much. */
export function diskReason(bytes: number): string {
	return `used up its disk space (limit ${formatSize(bytes)})`;
}

/** It may have used up its disk space, and nobody can tell. */
export function uncountedReason(bytes: number): string {
	return `holds more files than can be counted, or hides some (disk limit ${formatSize(bytes)}, required)`;
}

/** The same where it goes on all the same. */
export function uncountedNote(bytes: number): string {
	return `It holds more files than can be counted, or hides some: the limit on its disk space (${formatSize(bytes)}) is held to those that are seen.`;
}

/** What limits did to a program that goes on all the same, as sentences. */
export function survivedNotes(events: LimitEvents, { group }: Pick<LimitPlan, "group">): string[] {
	const { memory_kills, refused_forks } = events;
	const { memory_bytes_max, processes_max } = group;
	return [
		...(memory_kills === 0 || memory_bytes_max === undefined
			? []
			: [memoryNote(memory_kills, memory_bytes_max)]),
		...(refused_forks === 0 || processes_max === undefined
			? []
			: [`It ${processesReason(processes_max)}: it was refused ${refused_forks} more.`]),
	];
}

/** Something of it was killed for want of memory, but it goes on. */
function memoryNote(kills: number, bytes: number): string {
	const what = kills === 1 ? "One of its processes was" : `${kills} of its processes were`;
	return `${what} ended because its memory was used up (limit ${formatSize(bytes)}).`;
}

/** Limits that could not be set although the machine can, as sentences. */
export function limitNotes(failures: readonly LimitFailure[]): string[] {
	const words: Readonly<Record<GroupUse, string>> = use_words;
	return failures.map(({ use, code }) => `The limit on ${words[use]} could not be set (${code}).`);
}
