import { readdirSync, readFileSync } from "node:fs";
import { readdir, readFile } from "node:fs/promises";
import type { Clock } from "../../lib/clock.ts";
import { runOnce } from "./run-once.ts";

/**
 * What the operating system knows of the processes on this machine: who started whom, and when.
 * A pid alone names nothing for long, because pids are used again; a pid together with its
 * start time names one process for good.
 */

/** One process. */
export interface ProcessRow {
	readonly pid: number;
	readonly ppid: number;
	/** Process group. */
	readonly pgid: number;
	/**
	 * Opaque, equal only for the same process. On Linux the ticks since boot (field 22 of
	 * `/proc/<pid>/stat`) behind a part of the boot's id, elsewhere what `ps` prints.
	 */
	readonly start_time: string;
	/** Ended, and only waiting for its parent to notice. */
	readonly zombie: boolean;
	/** Stopped by a signal. */
	readonly stopped: boolean;
}

/** Reads the machine's processes. */
export interface ProcessTable {
	/** True when the environment of running processes can be searched. */
	readonly sees_environments: boolean;
	rows(): Promise<ProcessRow[]>;
	/** One process, or undefined when there is none with that pid. */
	row(pid: number): Promise<ProcessRow | undefined>;
	/** Pids whose environment holds a `name=value` entry that starts with `prefix`. */
	marked(prefix: string): Promise<ReadonlySet<number>>;
}

/** How many `/proc` entries are read at a time: enough for speed, few enough to be polite. */
const reads_at_once = 64;
const ps_deadline_ms = 5_000;

/** The process table of this machine: `/proc` on Linux, `ps` elsewhere. */
export function systemProcessTable(
	clock: Clock,
	source: "proc" | "ps" = process.platform === "linux" ? "proc" : "ps",
): ProcessTable {
	return source === "proc" ? procTable : psTable(clock);
}

const procTable: ProcessTable = {
	sees_environments: true,
	async rows() {
		return await mapProcesses((pid) => readRow(pid));
	},
	row: (pid) => readRow(pid),
	async marked(prefix) {
		const needle = Buffer.from(`\0${prefix}`);
		const pids = await mapProcesses(async (pid) => {
			const environ = await readOrUndefined(`/proc/${pid}/environ`);
			// The first entry has no NUL in front of it; one is put there to search uniformly.
			return environ !== undefined && Buffer.concat([nul, environ]).includes(needle)
				? pid
				: undefined;
		});
		return new Set(pids);
	},
};

const nul = Buffer.from([0]);

async function mapProcesses<Value>(
	read: (pid: number) => Promise<Value | undefined>,
): Promise<Value[]> {
	const pids = (await readdir("/proc")).filter((name) => /^\d+$/u.test(name)).map(Number);
	const results: Value[] = [];
	for (let at = 0; at < pids.length; at += reads_at_once) {
		const batch = await Promise.all(pids.slice(at, at + reads_at_once).map(read));
		for (const value of batch) {
			if (value !== undefined) {
				results.push(value);
			}
		}
	}
	return results;
}

async function readOrUndefined(path: string): Promise<Buffer | undefined> {
	try {
		return await readFile(path);
	} catch {
		// The process ended in between, or belongs to somebody else.
		return undefined;
	}
}

async function readRow(pid: number): Promise<ProcessRow | undefined> {
	const stat = await readOrUndefined(`/proc/${pid}/stat`);
	return stat === undefined ? undefined : parseStat(stat.toString("latin1"));
}

/** The row of a process, read without giving way; for the moment right after a spawn. Linux. */
export function readRowSync(pid: number): ProcessRow | undefined {
	try {
		return parseStat(readFileSync(`/proc/${pid}/stat`, "latin1"));
	} catch {
		return undefined;
	}
}

/**
 * Direct children of a process, whichever of its threads started them, read without giving
 * way. Linux; empty where the kernel does not offer it (CONFIG_PROC_CHILDREN).
 */
export function childPidsSync(pid: number): number[] {
	try {
		return readdirSync(`/proc/${pid}/task`).flatMap((thread) =>
			readFileSync(`/proc/${pid}/task/${thread}/children`, "latin1")
				.split(" ")
				.filter(Boolean)
				.map(Number),
		);
	} catch {
		// It ended in between.
		return [];
	}
}

/** All descendants of a process, read without giving way. Linux. */
export function descendantPidsSync(pid: number): number[] {
	const found: number[] = [];
	const waiting = childPidsSync(pid);
	for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
		found.push(next);
		waiting.push(...childPidsSync(next));
	}
	return found;
}

/**
 * Parses `/proc/<pid>/stat` (proc_pid_stat(5)). The second field is the program's name in
 * parentheses and may itself hold spaces and parentheses, so counting starts after the last.
 */
export function parseStat(text: string): ProcessRow | undefined {
	const pid = Number.parseInt(text, 10);
	const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
	const ticks = fields[19];
	if (!Number.isInteger(pid) || ticks === undefined) {
		return undefined;
	}
	return {
		pid,
		ppid: Number(fields[1]),
		pgid: Number(fields[2]),
		start_time: `${bootId()}/${ticks}`,
		zombie: fields[0] === "Z" || fields[0] === "X",
		stopped: fields[0] === "T",
	};
}

let boot_id: string | undefined;

/** Ticks count from the boot, so only together with the boot do they name a moment. */
function bootId(): string {
	if (boot_id === undefined) {
		try {
			boot_id = readFileSync("/proc/sys/kernel/random/boot_id", "latin1").slice(0, 8);
		} catch {
			boot_id = "boot";
		}
	}
	return boot_id;
}

function psTable(clock: Clock): ProcessTable {
	const run = async (selection: readonly string[]): Promise<ProcessRow[]> => {
		const outcome = await runOnce(clock, {
			program: "ps",
			args: [...selection, "-o", "pid=,ppid=,pgid=,stat=,lstart="],
			// The start time is printed as local time: one language and one zone keep it equal.
			env: { PATH: "/usr/bin:/bin", LC_ALL: "C", TZ: "UTC" },
			deadline_ms: ps_deadline_ms,
		});
		return outcome.stdout.split("\n").flatMap((line) => parsePsLine(line) ?? []);
	};
	return {
		sees_environments: false,
		rows: () => run(["-ax"]),
		row: async (pid) => (await run(["-p", String(pid)]))[0],
		marked: async () => new Set<number>(),
	};
}

/** Parses one line of `ps -o pid=,ppid=,pgid=,stat=,lstart=`. */
export function parsePsLine(line: string): ProcessRow | undefined {
	const match = /^\s*(\d+)\s+(\d+)\s+(\d+)\s+(\S+)\s+(\S.*?)\s*$/u.exec(line);
	if (match === null) {
		return undefined;
	}
	const [, pid, ppid, pgid, state, start_time] = match;
	return {
		pid: Number(pid),
		ppid: Number(ppid),
		pgid: Number(pgid),
		start_time: start_time ?? "",
		zombie: state?.startsWith("Z") ?? false,
		stopped: state?.startsWith("T") ?? false,
	};
}

/** Who is meant: one process, for good. */
export interface ProcessIdentity {
	readonly pid: number;
	readonly start_time: string;
}

/** True while exactly this process runs. A pid that now names another process does not count. */
export async function isRunning(table: ProcessTable, identity: ProcessIdentity): Promise<boolean> {
	const row = await table.row(identity.pid);
	return row !== undefined && !row.zombie && row.start_time === identity.start_time;
}

/** Every row reachable from the roots through parent and child, the roots included. */
export function withDescendants(
	rows: readonly ProcessRow[],
	roots: Iterable<number>,
): Map<number, ProcessRow> {
	const by_parent = new Map<number, ProcessRow[]>();
	const by_pid = new Map<number, ProcessRow>();
	for (const row of rows) {
		by_pid.set(row.pid, row);
		const siblings = by_parent.get(row.ppid);
		if (siblings === undefined) {
			by_parent.set(row.ppid, [row]);
		} else {
			siblings.push(row);
		}
	}
	const found = new Map<number, ProcessRow>();
	const waiting = [...roots];
	for (let pid = waiting.pop(); pid !== undefined; pid = waiting.pop()) {
		const row = by_pid.get(pid);
		if (row !== undefined && !found.has(pid)) {
			found.set(pid, row);
			waiting.push(...(by_parent.get(pid) ?? []).map((child) => child.pid));
		}
	}
	return found;
}
