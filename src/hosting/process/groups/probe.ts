import { basename, dirname, join } from "node:path";
import { listGroups, makeGroup, readGroupFile, removeGroup, writeGroupFile } from "./files.ts";
import type { Hierarchy } from "./hierarchies.ts";
import { parseHierarchies } from "./hierarchies.ts";
import type { GroupHierarchy, GroupTier, GroupUse } from "./tier.ts";
import { group_uses, hierarchyFor, noGroups } from "./tier.ts";

/** How control groups are tried. */
export interface GroupProbeOptions {
	/** Name of the folder that will hold this run's groups: `moorage-` and the run's id. */
	readonly name: string;
	/**
	 * Whether this process may move itself into a group of its own. A group of version 2 that
	 * holds processes cannot limit what is below it, so a gateway alone in its group steps aside.
	 */
	readonly may_move: boolean;
	/** Versions that are tried, best first. */
	readonly versions: readonly (1 | 2)[];
}

/** Start of the name of every folder that holds the groups of a run. */
export const run_group_prefix = "moorage-";

/** All there is; tests take less of it. */
export const all_versions: readonly (1 | 2)[] = [2, 1];

/**
 * Finds what control groups can do by doing it: makes a folder for this run in each hierarchy
 * that is of use, and leaves it there. `releaseTier` removes them.
 */
export function probeGroups(options: GroupProbeOptions): GroupTier {
	if (process.platform !== "linux") {
		return noGroups("control groups exist on Linux only");
	}
	const known = ownHierarchies();
	const found: GroupHierarchy[] = [];
	const obstacles: Partial<Record<GroupUse, string>> = {};
	for (const version of options.versions) {
		for (const hierarchy of known.filter((one) => one.version === version)) {
			const wanted = group_uses.filter(
				(use) =>
					!found.some((other) => other.uses.includes(use)) &&
					(version === 2 || hierarchy.controllers.includes(use)),
			);
			const outcome = wanted.length === 0 ? undefined : tryHierarchy(options, hierarchy, wanted);
			if (typeof outcome === "string") {
				for (const use of wanted) {
					obstacles[use] ??= outcome;
				}
			} else if (outcome !== undefined) {
				found.push(outcome);
			}
		}
	}
	const tier = { hierarchies: found, obstacles: {} };
	const missing = group_uses.filter((use) => hierarchyFor(tier, use) === undefined);
	return {
		hierarchies: found,
		obstacles: Object.fromEntries(
			missing.map((use) => [use, obstacles[use] ?? missingSentence(use)]),
		),
	};
}

function missingSentence(use: GroupUse): string {
	return use === "freezer"
		? "no control groups that can freeze are mounted"
		: `no control groups with the controller ${use} can be used`;
}

/** The hierarchies of this process, as the kernel tells them. */
export function ownHierarchies(): Hierarchy[] {
	const mountinfo = readGroupFile("/proc/self/mountinfo") ?? "";
	return parseHierarchies(mountinfo, readGroupFile("/proc/self/cgroup") ?? "");
}

/** Removes the folders of a run whose groups are all gone. */
export function releaseTier(tier: GroupTier): void {
	for (const { run_folder } of tier.hierarchies) {
		removeGroup(run_folder);
	}
}

/** The hierarchy with the uses that work in it, or why none does. */
function tryHierarchy(
	options: GroupProbeOptions,
	hierarchy: Hierarchy,
	wanted: readonly GroupUse[],
): GroupHierarchy | string {
	const place = hierarchy.version === 2 ? findBase(options, hierarchy) : hierarchy.folder;
	const run_folder = join(place, options.name);
	const problem = makeGroup(run_folder);
	if (problem !== undefined) {
		return `no group can be made in ${place} (${problem})`;
	}
	if (hierarchy.version === 2) {
		passControllers(run_folder);
	}
	const trial = join(run_folder, "probe");
	makeGroup(trial);
	// A group of another type takes no whole processes; version 1 knows no types.
	const type = readGroupFile(join(trial, "cgroup.type"))?.trim() ?? "domain";
	const uses =
		type === "domain" ? wanted.filter((use) => works(trial, hierarchy.version, use)) : [];
	removeGroup(trial);
	if (uses.length === 0) {
		removeGroup(run_folder);
		return `a group can be made in ${place}, but not used for ${wanted.join(" or ")}`;
	}
	return { version: hierarchy.version, run_folder, uses };
}

/** Controllers of version 2 that a group gets from the one above it. */
const limit_controllers = ["memory", "pids", "cpu"] as const;

function available(folder: string, file: string): string[] {
	const names = (readGroupFile(join(folder, file)) ?? "").trim().split(" ");
	return limit_controllers.filter((name) => names.includes(name));
}

/**
 * Hands the group's own controllers on to the groups below it; true when all of them went. A group
 * with processes of its own must not: some controllers could be handed on all the same, but then
 * no process may enter the groups below. Only the very first group, which has no type, may.
 */
function passControllers(folder: string): boolean {
	const has_type = readGroupFile(join(folder, "cgroup.type")) !== undefined;
	if (has_type && membersOf(folder).length > 0) {
		return false;
	}
	const names = available(folder, "cgroup.controllers");
	for (const name of names) {
		writeGroupFile(join(folder, "cgroup.subtree_control"), `+${name}`);
	}
	return available(folder, "cgroup.subtree_control").length === names.length;
}

function membersOf(folder: string): string[] {
	return (readGroupFile(join(folder, "cgroup.procs")) ?? "").split("\n").filter(Boolean);
}

/**
 * The group of version 2 under which the run's folder is made: this process's own where it may
 * hand its controllers on; the one above where a service manager prepared that one for it (a
 * delegated group with a subgroup for the service's own processes); else its own again, after
 * this process has moved out of it into the run's folder, if nobody else is in there.
 */
function findBase(options: GroupProbeOptions, { folder, mount }: Hierarchy): string {
	if (passControllers(folder)) {
		return folder;
	}
	const above = dirname(folder);
	if (folder !== mount && isPrepared(above, basename(folder))) {
		return above;
	}
	const members = membersOf(folder);
	if (options.may_move && members.length === 1 && members[0] === String(process.pid)) {
		const run_folder = join(folder, options.name);
		const own = join(run_folder, "gateway");
		if (makeGroup(run_folder) === undefined && makeGroup(own) === undefined) {
			writeGroupFile(join(own, "cgroup.procs"), String(process.pid));
			// It stays where it cannot move, and then this is an empty group.
			removeGroup(own);
			passControllers(folder);
		}
	}
	return folder;
}

/**
 * Whether the group above was made for this process alone: it hands controllers on, and holds no
 * processes and no groups of others. Any other, such as the one of all services, is not ours to
 * use, even for root.
 */
function isPrepared(above: string, own: string): boolean {
	const hands_on = available(above, "cgroup.subtree_control").length > 0;
	return (
		hands_on &&
		membersOf(above).length === 0 &&
		listGroups(above).every((name) => name === own || name.startsWith(run_group_prefix))
	);
}

/** Sets something that a use needs, in a group without processes, and looks whether it holds. */
function works(group: string, version: 1 | 2, use: GroupUse): boolean {
	const file = (name: string): string => join(group, name);
	const accepts = (name: string, value: string): boolean =>
		writeGroupFile(file(name), value) === undefined;
	const is_new = version === 2;
	switch (use) {
		case "freezer":
			return is_new
				? accepts("cgroup.freeze", "1") &&
						/^frozen 1$/mu.test(readGroupFile(file("cgroup.events")) ?? "")
				: accepts("freezer.state", "FROZEN") &&
						/^FROZEN$/mu.test(readGroupFile(file("freezer.state")) ?? "");
		case "memory":
			return accepts(is_new ? "memory.max" : "memory.limit_in_bytes", String(2 ** 30));
		case "pids":
			return accepts("pids.max", "64");
		case "cpu":
			return accepts(is_new ? "cpu.max" : "cpu.cfs_quota_us", is_new ? "100000 100000" : "100000");
	}
}
