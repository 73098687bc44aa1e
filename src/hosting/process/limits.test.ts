import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { default_resources } from "../../config/defaults.ts";
import type { ResourcePlan } from "../../config/plan.ts";
import { endReason, limitNotes, survivedNotes } from "./end-reason.ts";
import type { LimitEvents } from "./groups/group-limits.ts";
import type { GroupTier, GroupUse } from "./groups/tier.ts";
import { noGroups } from "./groups/tier.ts";
import { planLimits, processes_floor } from "./limits.ts";

const all_uses: GroupUse[] = ["freezer", "memory", "pids", "cpu"];
const none = noGroups("no groups here");

function tierWith(uses: readonly GroupUse[]): GroupTier {
	const missing = all_uses.filter((use) => !uses.includes(use));
	return {
		hierarchies: [{ version: 2, run_folder: "/groups", uses }],
		obstacles: Object.fromEntries(missing.map((use) => [use, `no ${use} here`])),
	};
}

const wanted: ResourcePlan = { ...default_resources, cpus_max: 2 };

test("groups enforce what they can, and then there is nothing to note", () => {
	const plan = planLimits(wanted, tierWith(all_uses), "linux");
	assert.deepEqual(plan.group, {
		memory_bytes_max: wanted.memory_bytes_max,
		processes_max: wanted.processes_max,
		cpus_max: 2,
	});
	assert.deepEqual(plan.watched, {
		memory_bytes_max: undefined,
		processes_max: undefined,
		disk_bytes_max: wanted.disk_bytes_max,
		required: false,
	});
	assert.deepEqual([plan.notes, plan.unenforced], [[], []]);
});

test("without groups a watchdog stands in for what it can see, and that is said", () => {
	const plan = planLimits(wanted, none, "linux");
	assert.deepEqual(plan.watched, {
		memory_bytes_max: wanted.memory_bytes_max,
		processes_max: wanted.processes_max,
		disk_bytes_max: wanted.disk_bytes_max,
		required: false,
	});
	assert.deepEqual(plan.unenforced, ["processor time (2 cores)"]);
	assert.deepEqual(plan.notes, [
		"The limit on memory (1GiB) is looked at once a second, not enforced at once: no groups here.",
		"The limit on processes (256) is looked at once a second, not enforced at once: " +
			"no groups here.",
		"The limit on processor time (2 cores) cannot be enforced on this machine: no groups here.",
	]);
});

test("where processes cannot be looked into, that is said too", () => {
	const mac = planLimits(wanted, none, "darwin");
	assert.deepEqual(mac.unenforced, [
		"memory (1GiB)",
		"processes (256)",
		"processor time (2 cores)",
	]);
	assert.equal(mac.watched.memory_bytes_max, undefined);
	const windows = planLimits(wanted, none, "win32");
	assert.deepEqual(windows.unenforced.slice(3), ["file size", "open files"]);
});

test("a limit on processes under which nothing starts is raised, and that is said", () => {
	for (const processes_max of [1, processes_floor - 1]) {
		const plan = planLimits({ ...wanted, processes_max }, tierWith(all_uses), "linux");
		assert.equal(plan.group.processes_max, processes_floor);
		assert.match(plan.notes.join(), new RegExp(`is 32 instead of ${processes_max}`, "u"));
	}
	const plan = planLimits(
		{ ...wanted, processes_max: processes_floor },
		tierWith(all_uses),
		"linux",
	);
	assert.deepEqual(plan.notes, []);
});

test("no limit is ever dropped in silence", () => {
	const limit = fc.option(fc.integer({ min: 1, max: 2 ** 40 }), { nil: undefined });
	const resources = fc.record({
		memory_bytes_max: limit,
		processes_max: limit,
		cpus_max: limit,
		file_bytes_max: limit,
		descriptors_max: limit,
		disk_bytes_max: limit,
		required: fc.boolean(),
	});
	const platform = fc.constantFrom<NodeJS.Platform>("linux", "darwin", "win32");
	fc.assert(
		fc.property(resources, fc.subarray(all_uses), platform, (asked, uses, where) => {
			const plan = planLimits(asked, tierWith(uses), where);
			for (const key of ["memory_bytes_max", "processes_max", "cpus_max"] as const) {
				const watched = key === "cpus_max" ? undefined : plan.watched[key];
				const holders = [plan.group[key], watched].filter((one) => one !== undefined);
				// Set in one place, or said to hold nowhere; never set where nothing was asked.
				if (asked[key] === undefined) {
					assert.equal(holders.length, 0);
				} else {
					const word = {
						memory_bytes_max: "memory",
						processes_max: "processes",
						cpus_max: "processor",
					};
					const said = plan.unenforced.some((text) => text.startsWith(word[key]));
					assert.equal(holders.length, said ? 0 : 1);
				}
			}
			assert.equal(plan.watched.disk_bytes_max, asked.disk_bytes_max);
			assert(plan.notes.length >= plan.unenforced.length);
			assert(plan.notes.every((note) => /^[A-Z].*\.$/su.test(note)));
		}),
	);
});

const plan = planLimits(wanted, tierWith(all_uses), "linux");
const quiet = { memory_kills: 0, refused_forks: 0 };

test("an end is laid to a limit only where the limit had to do with it", () => {
	const ends = [
		[{ code: 0, signal: null, events: quiet }, undefined],
		[{ code: 1, signal: null, events: quiet }, undefined],
		[{ code: null, signal: "SIGKILL", events: quiet }, undefined],
		[
			{ code: null, signal: "SIGKILL", events: { ...quiet, memory_kills: 1 } },
			"ran out of memory (limit 1GiB)",
		],
		// One of its processes was killed; that it ended well later has another reason.
		[{ code: 0, signal: null, events: { ...quiet, memory_kills: 1 } }, undefined],
		[
			{ code: 1, signal: null, events: { ...quiet, refused_forks: 7 } },
			"reached its limit of 256 processes and threads",
		],
		[
			{ code: null, signal: "SIGABRT", events: { ...quiet, refused_forks: 1 } },
			"reached its limit of 256 processes and threads",
		],
		[{ code: 0, signal: null, events: { ...quiet, refused_forks: 7 } }, undefined],
		[{ code: null, signal: "SIGXFSZ", events: quiet }, "wrote a file over its limit of 1GiB"],
	] as const;
	for (const [end, reason] of ends) {
		assert.equal(endReason({ ...end, plan }), reason, JSON.stringify(end));
	}
});

test("a limit that was not set ends nothing", () => {
	const off = Object.fromEntries(Object.keys(wanted).map((key) => [key, undefined]));
	const unlimited = planLimits({ ...wanted, ...off, required: false }, tierWith(all_uses), "linux");
	const events = { memory_kills: 1, refused_forks: 1 };
	for (const signal of ["SIGKILL", "SIGXFSZ"]) {
		assert.equal(endReason({ code: null, signal, events, plan: unlimited }), undefined);
	}
});

test("notes are sentences", () => {
	const group = { memory_bytes_max: 1024, processes_max: 64 };
	const notes = (events: Partial<LimitEvents>, limits: Partial<typeof group> = group) => {
		const plan = { group: { ...group, cpus_max: undefined, ...limits } };
		return survivedNotes({ memory_kills: 0, refused_forks: 0, ...events }, plan);
	};
	assert.deepEqual(notes({ memory_kills: 1 }), [
		"One of its processes was ended because its memory was used up (limit 1KiB).",
	]);
	assert.match(notes({ memory_kills: 3 })[0] ?? "", /^3 of its processes were ended/u);
	assert.deepEqual(notes({ refused_forks: 340 }), [
		"It reached its limit of 64 processes and threads: it was refused 340 more.",
	]);
	assert.deepEqual(notes({}), []);
	assert.deepEqual(limitNotes([{ use: "pids", code: "EACCES" }]), [
		"The limit on processes could not be set (EACCES).",
	]);
});
