import { basename, join } from "node:path";
import type { Clock } from "../../../lib/clock.ts";
import { sleep } from "../../../lib/clock.ts";
import { listGroups, removeGroup } from "./files.ts";
import { killGroup } from "./instance-groups.ts";
import { ownHierarchies, run_group_prefix } from "./probe.ts";

const rounds_max = 100;
const round_pause_ms = 10;

/** The name of the folder that holds the groups of one run of a gateway. */
export function runGroupName(run_id: string): string {
	return `${run_group_prefix}${run_id}`;
}

/**
 * Ends what is left in the groups of a dead run and removes them. The folders come from a file,
 * so only those are touched that lie in a hierarchy of control groups under that run's own name.
 * Resolves with those that could not be removed in time.
 */
export async function sweepGroups(
	clock: Clock,
	run_id: string,
	run_folders: readonly string[],
): Promise<readonly string[]> {
	const mounts = ownHierarchies().map(({ mount }) => mount);
	const meant = run_folders.filter(
		(folder) =>
			basename(folder) === runGroupName(run_id) &&
			!folder.split("/").includes("..") &&
			mounts.some((mount) => folder.startsWith(`${mount}/`)),
	);
	let left: readonly string[] = meant;
	for (let round = 0; round < rounds_max; round += 1) {
		left = left.filter((folder) => !removeRun(folder));
		if (left.length === 0) break;
		await sleep(clock, round_pause_ms);
	}
	return left;
}

/** Kills and removes the groups of a run; true when nothing of it is left. */
function removeRun(run_folder: string): boolean {
	for (const name of listGroups(run_folder)) {
		const group = join(run_folder, name);
		if (!removeGroup(group)) {
			killGroup(group);
		}
	}
	return removeGroup(run_folder);
}
