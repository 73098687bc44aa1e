import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { InstanceUsage } from "../../upstreams/driver.ts";
import { keyedNumber, readGroupFile } from "./groups/files.ts";
import type { InstanceGroups } from "./groups/instance-groups.ts";

/** Linux counts processor time in hundredths of a second, on every platform Node runs on. */
const tick_ms = 10;
const kibibyte = 1024;

/** What the members of an instance's groups use; undefined where the groups do not tell. */
export function groupUsage(groups: InstanceGroups): InstanceUsage | undefined {
	const pids = groups.members();
	if (pids.length === 0) {
		return undefined;
	}
	const { memory_bytes, cpu_ms } = processUsage(pids);
	return {
		memory_bytes: groupMemory(groups) ?? memory_bytes,
		cpu_ms: groupCpu(groups) ?? cpu_ms,
		processes: pids.length,
	};
}

/** Memory that cannot be had back by forgetting file contents: the working set. */
function groupMemory(groups: InstanceGroups): number | undefined {
	const place = groups.place("memory");
	if (place === undefined) {
		return undefined;
	}
	const is_new = place.version === 2;
	const total = Number(
		readGroupFile(join(place.folder, is_new ? "memory.current" : "memory.usage_in_bytes")),
	);
	const stat = readGroupFile(join(place.folder, "memory.stat")) ?? "";
	const idle = keyedNumber(stat, is_new ? "inactive_file" : "total_inactive_file") ?? 0;
	return Number.isFinite(total) ? Math.max(0, total - idle) : undefined;
}

/** Processor time of all members ever, those included that have ended. */
function groupCpu(groups: InstanceGroups): number | undefined {
	for (const use of ["cpu", "freezer"] as const) {
		const place = groups.place(use);
		const stat = place?.version === 2 ? readGroupFile(join(place.folder, "cpu.stat")) : undefined;
		const spent_us = stat === undefined ? undefined : keyedNumber(stat, "usage_usec");
		if (spent_us !== undefined) {
			return spent_us / 1000;
		}
	}
	return undefined;
}

/** What processes use, put together from `/proc`. Those that have ended count as nothing. */
export function processUsage(pids: readonly number[]): InstanceUsage {
	let memory_bytes = 0;
	let cpu_ms = 0;
	let processes = 0;
	for (const pid of pids) {
		const stat = read(`/proc/${pid}/stat`);
		if (stat === undefined) {
			continue;
		}
		processes += 1;
		cpu_ms += parseCpuTicks(stat) * tick_ms;
		memory_bytes += parsePrivateMemory(read(`/proc/${pid}/status`) ?? "");
	}
	return { memory_bytes, cpu_ms, processes };
}

/** User and system time of a process and of its children that have ended, in ticks. */
export function parseCpuTicks(stat: string): number {
	const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
	const ticks = fields.slice(11, 15).map(Number);
	return ticks.length === 4 && ticks.every(Number.isFinite)
		? ticks.reduce((sum, one) => sum + one, 0)
		: 0;
}

/**
 * Memory of `/proc/<pid>/status` that belongs to the process alone, in bytes. Programs and
 * libraries are left out: processes share them, and they would be counted many times.
 */
export function parsePrivateMemory(status: string): number {
	let bytes = 0;
	for (const [, kib] of status.matchAll(/^Rss(?:Anon|Shmem):\s+(\d+) kB$/gmu)) {
		bytes += Number(kib) * kibibyte;
	}
	return bytes;
}

function read(path: string): string | undefined {
	try {
		return readFileSync(path, "latin1");
	} catch {
		return undefined;
	}
}

/** Processes and threads together, as the kernel counts them for limits. */
export function taskCount(pids: readonly number[]): number {
	let tasks = 0;
	for (const pid of pids) {
		const status = read(`/proc/${pid}/status`);
		tasks += Number(/^Threads:\s+(\d+)$/mu.exec(status ?? "")?.[1] ?? 0);
	}
	return tasks;
}
