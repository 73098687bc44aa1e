import { readFileSync } from "node:fs";

/** Ticks a second in /proc/PID/stat: USER_HZ, which is 100 on every Linux that Node runs on. */
const ticks_per_second = 100;

/**
 * CPU time, of all threads, that a process has used so far, in milliseconds; undefined where the
 * system has no /proc or the process is gone.
 */
export function cpuOf(pid: number): number | undefined {
	const text = readProc(pid, "stat");
	return text === undefined ? undefined : parseCpu(text);
}

/** The same of its first thread alone, to the microsecond where the system tells. */
export function mainThreadCpuOf(pid: number): number | undefined {
	const text = readProc(pid, `task/${pid}/schedstat`);
	return text === undefined ? undefined : parseSchedule(text);
}

/** Resident memory of a process in MiB; undefined as for `cpuOf`. */
export function residentOf(pid: number): number | undefined {
	const text = readProc(pid, "status");
	return text === undefined ? undefined : parseResident(text);
}

/** User and system time from /proc/PID/stat (proc_pid_stat(5)), in milliseconds. */
export function parseCpu(stat: string): number | undefined {
	// The program's name stands in parentheses and may hold blanks and parentheses itself.
	const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
	const [user, system] = [Number(fields[11]), Number(fields[12])];
	if (!Number.isFinite(user) || !Number.isFinite(system)) return undefined;
	return ((user + system) * 1000) / ticks_per_second;
}

/** Time on a processor from /proc/PID/task/TID/schedstat, in milliseconds. */
export function parseSchedule(schedstat: string): number | undefined {
	const found = /^(\d+) \d+ \d+\s*$/.exec(schedstat);
	return found === null ? undefined : Number(found[1]) / 1_000_000;
}

/** VmRSS from /proc/PID/status, in MiB. */
export function parseResident(status: string): number | undefined {
	const found = /^VmRSS:\s+(\d+) kB$/m.exec(status);
	return found === null ? undefined : Number(found[1]) / 1024;
}

function readProc(pid: number, file: string): string | undefined {
	try {
		return readFileSync(`/proc/${pid}/${file}`, "utf8");
	} catch {
		return undefined;
	}
}
