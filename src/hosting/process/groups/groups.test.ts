import assert from "node:assert/strict";
import type { ChildProcess } from "node:child_process";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readdirSync } from "node:fs";
import { mkdtemp, rmdir } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { describe, test } from "node:test";
import { systemClock } from "../../../lib/clock.ts";
import { makeGroup, readGroupFile, removeGroup, writeGroupFile } from "./files.ts";
import type { InstanceGroups } from "./instance-groups.ts";
import { makeInstanceGroups } from "./instance-groups.ts";
import { all_versions, ownHierarchies, probeGroups, releaseTier } from "./probe.ts";
import { runGroupName, sweepGroups } from "./sweep-groups.ts";
import type { GroupTier } from "./tier.ts";
import { describeTier, group_uses, hierarchyFor, noGroups } from "./tier.ts";

let runs = 0;

/** A tier of its own for one test. */
function makeTier(versions: readonly (1 | 2)[] = all_versions): GroupTier & { run_id: string } {
	runs += 1;
	const run_id = `groups-test-${process.pid}-${runs}`;
	return {
		...probeGroups({ name: runGroupName(run_id), may_move: false, versions }),
		run_id,
	};
}

const trial = makeTier();
releaseTier(trial);
const skip = trial.hierarchies.length === 0 ? (trial.obstacles.freezer ?? "no groups") : false;

/** A program in the groups, which entered them before it could do anything else. */
async function member(groups: InstanceGroups): Promise<ChildProcess> {
	const enter = 'for file in "$@"; do echo 0 >"$file" || exit 1; done; echo in; exec sleep 1000';
	const child = spawn("/bin/sh", ["-c", enter, "sh", ...groups.entrances], {
		stdio: ["ignore", "pipe", "inherit"],
	});
	await once(child.stdout, "data");
	return child;
}

describe("control groups", { skip }, () => {
	test("every use is served by one hierarchy, or has an obstacle that says why not", () => {
		const tier = makeTier();
		for (const use of group_uses) {
			const serving = tier.hierarchies.filter(({ uses }) => uses.includes(use));
			assert.equal(serving.length + (tier.obstacles[use] === undefined ? 0 : 1), 1, use);
		}
		releaseTier(tier);
		assert(tier.hierarchies.every(({ run_folder }) => !existsSync(run_folder)));
	});

	test("a probe leaves nothing behind but the run's folders, which lie in the own group", () => {
		const tier = makeTier();
		const own = ownHierarchies().map(({ folder }) => folder);
		for (const { run_folder } of tier.hierarchies) {
			assert.equal(basename(run_folder), runGroupName(tier.run_id));
			assert(own.includes(dirname(run_folder)) || own.includes(join(dirname(run_folder), "x")));
			const folders = readdirSync(run_folder, { withFileTypes: true });
			assert.deepEqual(
				folders.filter((entry) => entry.isDirectory()),
				[],
			);
		}
		releaseTier(tier);
	});

	test("groups have members, lose them by killing, and go away", async () => {
		const tier = makeTier();
		const groups = makeInstanceGroups(systemClock, tier, "1");
		const children = [await member(groups), await member(groups)];
		assert.deepEqual(new Set(groups.members()), new Set(children.map(({ pid }) => pid)));
		groups.kill();
		const ends = await Promise.all(children.map((child) => once(child, "exit")));
		assert.deepEqual(ends, [
			[null, "SIGKILL"],
			[null, "SIGKILL"],
		]);
		assert.equal(await groups.remove(), true);
		assert.equal(await groups.remove(), true);
		assert.deepEqual(groups.members(), []);
		releaseTier(tier);
	});

	test("removing groups ends what is left in them", async () => {
		const tier = makeTier();
		const groups = makeInstanceGroups(systemClock, tier, "1");
		const child = await member(groups);
		const ended = once(child, "exit");
		assert.equal(await groups.remove(), true);
		assert.deepEqual(await ended, [null, "SIGKILL"]);
		releaseTier(tier);
	});

	for (const version of all_versions) {
		test(`a sweep ends what is frozen in groups of version ${version}`, async (t) => {
			const tier = makeTier([version]);
			const place = hierarchyFor(tier, "freezer");
			if (place === undefined) {
				releaseTier(tier);
				t.skip(tier.obstacles.freezer);
				return;
			}
			const groups = makeInstanceGroups(systemClock, tier, "1");
			const child = await member(groups);
			const ended = once(child, "exit");
			const group = join(place.run_folder, "1");
			writeGroupFile(join(group, "cgroup.freeze"), "1");
			writeGroupFile(join(group, "freezer.state"), "FROZEN");
			const folders = tier.hierarchies.map(({ run_folder }) => run_folder);
			await sweepGroups(systemClock, tier.run_id, folders);
			assert.deepEqual(await ended, [null, "SIGKILL"]);
			assert(folders.every((folder) => !existsSync(folder)));
		});
	}

	test("a sweep touches nothing but folders of that run in a hierarchy of groups", async () => {
		const tier = makeTier();
		const groups = makeInstanceGroups(systemClock, tier, "1");
		const child = await member(groups);
		const folder = tier.hierarchies[0]?.run_folder ?? "";
		const foreign = await mkdtemp(join(tmpdir(), "moorage-sweep-"));
		const named = join(foreign, runGroupName(tier.run_id));
		assert.equal(makeGroup(named), undefined);
		await sweepGroups(systemClock, tier.run_id, [
			named,
			dirname(folder),
			join(folder, "1"),
			`${folder}/1/../../${basename(folder)}`,
		]);
		await sweepGroups(systemClock, "another-run", [folder]);
		assert.equal(existsSync(named), true);
		assert.equal(child.exitCode, null);
		assert.deepEqual(groups.members(), [child.pid]);
		await rmdir(named);
		await rmdir(foreign);
		await groups.remove();
		releaseTier(tier);
	});
});

test("files of groups that are not there are errors by code, never exceptions", () => {
	const gone = join(tmpdir(), "moorage-no-such-group");
	assert.equal(readGroupFile(gone), undefined);
	assert.equal(writeGroupFile(gone, "1"), "ENOENT");
	assert.equal(makeGroup(join(gone, "below")), "ENOENT");
	assert.equal(makeGroup(tmpdir()), undefined);
	assert.equal(removeGroup(gone), true);
	assert.equal(existsSync(gone), false);
});

test("a tier is told in words, with what stands in for what is missing", () => {
	assert.equal(
		describeTier(noGroups("none")),
		"signals stop and continue processes; memory watched once in a while; " +
			"processes watched once in a while; processor time cannot be limited",
	);
	const mixed: GroupTier = {
		hierarchies: [
			{ version: 2, run_folder: "/a", uses: ["freezer"] },
			{ version: 1, run_folder: "/b", uses: ["memory"] },
			{ version: 1, run_folder: "/c", uses: ["pids", "cpu"] },
		],
		obstacles: {},
	};
	assert.equal(
		describeTier(mixed),
		"control groups of version 2 (freezing); " +
			"control groups of version 1 (memory, processes, processor time)",
	);
});
