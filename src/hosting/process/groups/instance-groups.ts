import { join } from "node:path";
import type { Clock } from "../../../lib/clock.ts";
import { sleep } from "../../../lib/clock.ts";
import { signalProcess } from "../cleanup.ts";
import { makeGroup, readGroupFile, removeGroup, writeGroupFile } from "./files.ts";
import type { GroupHierarchy, GroupTier, GroupUse } from "./tier.ts";

/** How often a group is looked at that processes have still to leave, and how patiently. */
const remove_rounds_max = 100;
const remove_pause_ms = 10;

/** The groups of one instance: one in each hierarchy that is used. */
export class InstanceGroups {
	readonly #clock: Clock;
	readonly #places: readonly GroupPlace[];

	/** Use `makeInstanceGroups`. */
	constructor(clock: Clock, places: readonly GroupPlace[]) {
		this.#clock = clock;
		this.#places = places;
	}

	/** Files into which a process writes `0` to become a member. */
	get entrances(): readonly string[] {
		return this.#places.map(({ folder }) => join(folder, "cgroup.procs"));
	}

	/** The group that serves a use, where there is one. */
	place(use: GroupUse): GroupPlace | undefined {
		return this.#places.find(({ uses }) => uses.includes(use));
	}

	/** Pids of all members. */
	members(): number[] {
		const folder = this.#places[0]?.folder;
		const text = folder === undefined ? "" : readGroupFile(join(folder, "cgroup.procs"));
		return (text ?? "").split("\n").filter(Boolean).map(Number);
	}

	/** SIGKILL to every member, frozen or not. */
	kill(): void {
		for (const { folder } of this.#places) {
			killGroup(folder);
		}
	}

	/** Kills what is left and removes the groups; false where something does not go away. */
	async remove(): Promise<boolean> {
		for (let round = 0; round < remove_rounds_max; round += 1) {
			const left = this.#places.filter(({ folder }) => !removeGroup(folder));
			if (left.length === 0) {
				return true;
			}
			for (const { folder } of left) {
				killGroup(folder);
			}
			await sleep(this.#clock, remove_pause_ms);
		}
		return false;
	}
}

/** One group of an instance. */
export interface GroupPlace {
	readonly version: 1 | 2;
	readonly folder: string;
	readonly uses: readonly GroupUse[];
}

/**
 * Makes the groups of an instance, still without members. A hierarchy in which that fails is
 * left out: what it would have served counts as not served.
 */
export function makeInstanceGroups(clock: Clock, tier: GroupTier, name: string): InstanceGroups {
	const places = tier.hierarchies.flatMap((hierarchy) => makePlace(hierarchy, name) ?? []);
	return new InstanceGroups(clock, places);
}

function makePlace(hierarchy: GroupHierarchy, name: string): GroupPlace | undefined {
	const folder = join(hierarchy.run_folder, name);
	const { version, uses } = hierarchy;
	return makeGroup(folder) === undefined ? { version, folder, uses } : undefined;
}

/**
 * Kills the members of one group. Version 2 does it in one step, and reaches frozen ones too.
 * Elsewhere the signals go out one by one, and wait where the members are frozen, so thawing
 * comes after them: not one instruction of the program runs in between.
 */
export function killGroup(folder: string): void {
	if (writeGroupFile(join(folder, "cgroup.kill"), "1") === undefined) {
		return;
	}
	const text = readGroupFile(join(folder, "cgroup.procs")) ?? "";
	for (const pid of text.split("\n").filter(Boolean).map(Number)) {
		if (pid > 1 && pid !== process.pid) {
			signalProcess(pid, "SIGKILL");
		}
	}
	writeGroupFile(join(folder, "cgroup.freeze"), "0");
	writeGroupFile(join(folder, "freezer.state"), "THAWED");
}
