import type { Clock } from "../../lib/clock.ts";
import { sleep } from "../../lib/clock.ts";
import type { LedgerEntry } from "./ledger.ts";
import type { ProcessIdentity, ProcessRow, ProcessTable } from "./process-table.ts";
import { isRunning, withDescendants } from "./process-table.ts";

/**
 * Ends what a gateway started and could not end itself. Used by the watcher when the gateway
 * dies, by the next gateway at its start, and for one server's tree when it is stopped.
 */

/** Name of the environment variable that every hosted process and its descendants carry. */
export const marker_name = "MOORAGE_OWNER";

/** The start of every marker an owner gives out; as searched for in `/proc/<pid>/environ`. */
export function ownerPrefix(owner_id: string): string {
	return `${marker_name}=${owner_id}/`;
}

/** What to end. */
export interface CleanupTarget {
	/** Programs as they were recorded; a pid whose start time differs is left alone. */
	readonly entries: readonly LedgerEntry[];
	/** Start of the `name=value` that marks the processes meant. */
	readonly marker_prefix: string;
}

/** Rounds of looking and killing. More than one only where processes are still being born. */
const rounds_max = 100;
const round_pause_ms = 10;

/**
 * Finds every process the target means: recorded programs that still are what was recorded,
 * marked processes, and all descendants of both. Dead ones that wait for their parent are left
 * out, and so is the process that asks.
 */
export async function findProcesses(
	table: ProcessTable,
	target: CleanupTarget,
): Promise<ProcessRow[]> {
	// The marks first: a process born after them is found as a descendant in the rows.
	const marked = await table.marked(target.marker_prefix);
	const rows = await table.rows();
	const roots = new Set(marked);
	const by_pid = new Map(rows.map((row) => [row.pid, row]));
	for (const entry of target.entries) {
		if (by_pid.get(entry.pid)?.start_time === entry.start_time) {
			roots.add(entry.pid);
		}
	}
	for (const row of rows) {
		if (isGroupMember(table, by_pid, target, row)) {
			roots.add(row.pid);
		}
	}
	return [...withDescendants(rows, roots).values()].filter(
		(row) => !row.zombie && row.pid !== process.pid && row.pid > 1,
	);
}

/**
 * Members of a recorded group. A group's number is not given out again while it has members,
 * so a group whose leader is gone is still the recorded one; but where environments can be
 * searched the mark decides, which leaves no doubt.
 */
function isGroupMember(
	table: ProcessTable,
	by_pid: ReadonlyMap<number, ProcessRow>,
	target: CleanupTarget,
	row: ProcessRow,
): boolean {
	const entry = target.entries.find((candidate) => candidate.pgid === row.pgid);
	if (entry === undefined) {
		return false;
	}
	const leader = by_pid.get(entry.pid);
	return leader === undefined ? !table.sees_environments : leader.start_time === entry.start_time;
}

/**
 * Kills what `findProcesses` finds until it finds nothing. Resolves with the number of
 * processes killed; what cannot be killed (another user's, or stuck in the kernel) is given up
 * after a second.
 */
export async function killProcesses(
	clock: Clock,
	table: ProcessTable,
	target: CleanupTarget,
): Promise<number> {
	const killed = new Set<string>();
	for (let round = 0; round < rounds_max; round += 1) {
		const rows = await findProcesses(table, target);
		if (rows.length === 0) {
			break;
		}
		for (const row of rows) {
			if (signalProcess(row.pid, "SIGKILL")) {
				killed.add(`${row.pid} ${row.start_time}`);
			}
		}
		await sleep(clock, round_pause_ms);
	}
	return killed.size;
}

/** Waits, for a second at most, for the end of a process that is nobody's child here. */
export async function waitUntilGone(
	clock: Clock,
	table: ProcessTable,
	identity: ProcessIdentity,
): Promise<void> {
	for (let round = 0; round < rounds_max; round += 1) {
		if (!(await isRunning(table, identity))) {
			return;
		}
		await sleep(clock, round_pause_ms);
	}
}

/** Sends a signal; false when there is no such process (any more) or it is not ours. */
export function signalProcess(pid: number, signal: NodeJS.Signals): boolean {
	try {
		process.kill(pid, signal);
		return true;
	} catch {
		return false;
	}
}
