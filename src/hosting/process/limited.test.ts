import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { after, describe, test } from "node:test";
import {
	confinement,
	echo,
	lineOf,
	makeSpawner,
	startHosted,
	trySpawn,
	useObstacle,
} from "../../../test/support/hosted-child.ts";
import { eventually } from "../../../test/support/processes.ts";
import type { ResourcePlan } from "../../config/plan.ts";
import type { ChildHandle } from "../../upstreams/driver.ts";
import type { ProcessSpawner } from "./spawner.ts";

const root = await mkdtemp(join(tmpdir(), "moorage-limited-"));
after(() => rm(root, { recursive: true }));

const mib = 1024 ** 2;
const posix = process.platform === "win32" ? "Windows has no such limits" : false;
const linux = process.platform === "linux" ? false : "memory is watched on Linux only";

/** Groups of each version, and none. */
const ways: [string, readonly (1 | 2)[]][] = [
	["version 2", [2]],
	["version 1", [1]],
	["none", []],
];

let folders = 0;

/** Starts a script of Node with limits. */
async function run(
	spawner: ProcessSpawner,
	script: string,
	resources: Partial<ResourcePlan>,
): Promise<ChildHandle & { readonly folder: string }> {
	folders += 1;
	const folder = join(root, String(folders));
	const child = await startHosted(spawner, {
		args: ["-e", script],
		env: { FOLDER: folder },
		confinement: confinement(folder, resources),
	});
	return Object.assign(child, { folder });
}

/** Takes memory in steps, says each, and stays when it has all of it. */
function hog(bytes: number): string {
	return `
		const all = [];
		(function more() {
			if (all.length * ${4 * mib} >= ${bytes}) {
				console.error("has it");
				process.stdin.resume();
				return;
			}
			all.push(Buffer.alloc(${4 * mib}, 1));
			setTimeout(more, 10);
		})();`;
}

for (const [name, group_versions] of ways) {
	const watched = group_versions.length === 0;

	describe(`memory, groups: ${name}`, {
		skip: watched ? linux : useObstacle(group_versions, "memory"),
	}, () => {
		test("a server under its limit runs", async () => {
			await using spawner = await makeSpawner({ group_versions });
			const child = await run(spawner, hog(40 * mib), { memory_bytes_max: 200 * mib });
			await lineOf(child, "has it");
			assert.equal(child.end_reason?.(), undefined);
			child.stdin.end();
			assert.deepEqual(await child.exited, { code: 0, signal: null });
			assert.equal(child.end_reason?.(), undefined);
		});

		test("a server over its limit is ended, and the limit named", async () => {
			await using spawner = await makeSpawner({ group_versions });
			const child = await run(spawner, hog(4096 * mib), { memory_bytes_max: 128 * mib });
			assert.deepEqual(await child.exited, { code: null, signal: "SIGKILL" });
			assert.equal(child.end_reason?.(), "ran out of memory (limit 128MiB)");
			assert.equal((child.notes?.() ?? []).length, watched ? 2 : 0, child.notes?.().join(" "));
		});

		test("memory counts for all processes together", async () => {
			await using spawner = await makeSpawner({ group_versions });
			const script = `
				const hog = ${JSON.stringify(hog(100 * mib))};
				for (let count = 0; count < 4; count += 1) {
					require("node:child_process")
						.spawn(process.execPath, ["-e", hog], { stdio: ["pipe", "ignore", "inherit"] })
						.on("exit", () => process.kill(process.pid, "SIGKILL"));
				}`;
			const child = await run(spawner, script, { memory_bytes_max: 256 * mib });
			await child.exited;
			assert.equal(child.end_reason?.(), "ran out of memory (limit 256MiB)");
		});

		test("a server that outlives one of its processes goes on, and it is noted", async (t) => {
			if (watched) {
				t.skip("the watchdog ends the whole server");
				return;
			}
			await using spawner = await makeSpawner({ group_versions });
			const script = `
				const hog = ${JSON.stringify(hog(4096 * mib))};
				require("node:child_process")
					.spawn(process.execPath, ["-e", hog], { stdio: ["pipe", "ignore", "ignore"] })
					.on("exit", (_code, signal) => console.error("lost " + signal));
				process.stdin.pipe(process.stdout);`;
			const child = await run(spawner, script, { memory_bytes_max: 200 * mib });
			await lineOf(child, "lost SIGKILL");
			assert.deepEqual(child.notes?.(), [
				"One of its processes was ended because its memory was used up (limit 200MiB).",
			]);
			await echo(child, "still here");
			child.stdin.end();
			await child.exited;
			assert.equal(child.end_reason?.(), undefined);
		});
	});

	describe(`processes, groups: ${name}`, {
		skip: watched ? linux : useObstacle(group_versions, "pids"),
	}, () => {
		/** Starts this many `sleep`s; ends with code 1 when one cannot be started. */
		const starter = (count: number): string => `
			const { spawn } = require("node:child_process");
			for (let started = 0; started < ${count}; started += 1) {
				spawn("sleep", ["1000"], { stdio: "ignore" }).on("error", () => process.exit(1));
			}
			console.error("all started");
			process.stdin.on("end", () => process.exit(0)).resume();`;

		test("a server under its limit runs", async () => {
			await using spawner = await makeSpawner({ group_versions });
			const child = await run(spawner, starter(20), { processes_max: 64 });
			await lineOf(child, "all started");
			child.stdin.end();
			assert.deepEqual(await child.exited, { code: 0, signal: null });
			assert.equal(child.end_reason?.(), undefined);
		});

		test("a server over its limit is stopped from growing, and the limit named", async () => {
			await using spawner = await makeSpawner({ group_versions });
			const child = await run(spawner, starter(120), { processes_max: 64 });
			await child.exited;
			assert.equal(child.end_reason?.(), "reached its limit of 64 processes and threads");
		});

		const steady = "for one in $(seq 400); do sleep 1000 & sleep 0.01; done; cat";

		test("what forks without end is held and ends with its server", async () => {
			await using spawner = await makeSpawner({ group_versions });
			folders += 1;
			const child = await startHosted(spawner, {
				command: "/bin/sh",
				// Each generation leaves a sleeper that outlives a shell which could not fork any more.
				// A bomb that doubles outruns a watchdog that looks once a second, and every other
				// program of the machine with it: there it only goes on forking, one by one.
				args: ["-c", watched ? steady : "bomb() { sleep 1000 & bomb & bomb & wait; }; bomb; cat"],
				confinement: confinement(join(root, String(folders)), { processes_max: 64 }),
			});
			child.stderr.resume();
			if (watched) {
				await child.exited;
				assert.equal(child.end_reason?.(), "reached its limit of 64 processes and threads");
			} else {
				await eventually(
					() => child.hibernation?.usage(),
					(usage) => (usage?.processes ?? 0) > 15 || usage === undefined,
				);
				child.kill();
				await child.exited;
			}
			await child.stop(0);
			assert.equal((await child.hibernation?.usage())?.processes ?? 0, 0);
		});

		test("even the smallest limit lets Node start, and says so", async () => {
			await using spawner = await makeSpawner({ group_versions });
			const child = await run(spawner, "console.error('up')", { processes_max: 1 });
			await lineOf(child, "up");
			assert.match(child.notes?.().join(" ") ?? "", /is 32 instead of 1/u);
		});
	});

	describe(`processor time, groups: ${name}`, () => {
		test("it is limited once the server has settled, or it is said that it cannot be", async (t) => {
			if (!watched && useObstacle(group_versions, "cpu") !== false) {
				t.skip(String(useObstacle(group_versions, "cpu")));
				return;
			}
			await using spawner = await makeSpawner({ group_versions });
			const child = await run(spawner, "process.stdin.pipe(process.stdout)", { cpus_max: 0.5 });
			await echo(child, "up");
			if (watched) {
				assert.match(
					child.notes?.().join(" ") ?? "",
					/limit on processor time \(0\.5 cores\) cannot be enforced/u,
				);
				child.settled?.();
				return;
			}
			assert.equal(quotaOf(child.pid), "none");
			child.settled?.();
			assert.equal(quotaOf(child.pid), "50000 of 100000");
			await echo(child, "still up");
			assert.deepEqual(child.notes?.(), []);
		});
	});
}

/** The quota of processor time of a process's group, as the kernel has it. */
function quotaOf(pid: number): string {
	const groups = readFileSync(`/proc/${pid}/cgroup`, "utf8");
	const v1 = /^\d+:(?:[^:]*,)?cpu(?:,[^:]*)?:(.*)$/mu.exec(groups)?.[1];
	const mounts = readFileSync("/proc/self/mounts", "utf8");
	const read = (folder: string, file: string): string =>
		readFileSync(join(folder, file), "utf8").trim();
	if (v1?.includes("moorage-")) {
		const mount = /^\S+ (\S+) cgroup \S*\bcpu\b/mu.exec(mounts)?.[1] ?? "";
		const quota = read(join(mount, v1), "cpu.cfs_quota_us");
		return quota === "-1" ? "none" : `${quota} of ${read(join(mount, v1), "cpu.cfs_period_us")}`;
	}
	const mount = /^\S+ (\S+) cgroup2 /mu.exec(mounts)?.[1] ?? "";
	const path = /^0::(.*)$/mu.exec(groups)?.[1] ?? "";
	const [quota, period] = read(join(mount, path), "cpu.max").split(" ");
	return quota === "max" ? "none" : `${quota} of ${period}`;
}

describe("limits of a process", { skip: posix }, () => {
	/** Writes a file of this length and tells how that went. */
	const writer = (bytes: number): string => `
		try {
			require("node:fs").writeFileSync(process.env.FOLDER + "/volume/file", Buffer.alloc(${bytes}));
			console.log("written");
		} catch (error) {
			console.log(error.code);
		}`;

	test("a file may be as large as the limit, and not larger", async () => {
		await using spawner = await makeSpawner();
		const resources = { file_bytes_max: mib };
		for (const [bytes, said] of [
			[mib - 1, "written"],
			[mib, "written"],
			[mib + 1, "EFBIG"],
		] as const) {
			const child = await run(spawner, writer(bytes), resources);
			assert.equal((await text(child.stdout)).trim(), said, `${bytes} bytes`);
			await child.exited;
			assert.equal(child.end_reason?.(), undefined);
		}
	});

	test("a program that is ended over its file's size is told so", async () => {
		await using spawner = await makeSpawner();
		folders += 1;
		const folder = join(root, String(folders));
		const child = await startHosted(spawner, {
			command: "dd",
			args: ["if=/dev/zero", `of=${folder}/volume/file`, "bs=64k", "count=64"],
			confinement: confinement(folder, { file_bytes_max: mib }),
		});
		child.stderr.resume();
		assert.deepEqual(await child.exited, { code: null, signal: "SIGXFSZ" });
		assert.equal(child.end_reason?.(), "wrote a file over its limit of 1MiB");
	});

	test("output is no file, and is not limited", async () => {
		await using spawner = await makeSpawner();
		const script = `process.stdout.write(Buffer.alloc(${2 * mib}, "x"))`;
		const child = await run(spawner, script, { file_bytes_max: mib });
		assert.equal((await text(child.stdout)).length, 2 * mib);
	});

	test("as many descriptors may be open as the limit says", async () => {
		await using spawner = await makeSpawner();
		// Three are its standard streams; the lowest free number tells how many are taken.
		const script = `
			const fs = require("node:fs");
			const opened = [];
			try {
				for (;;) opened.push(fs.openSync("/dev/null"));
			} catch (error) {
				console.log(error.code, Math.max(...opened));
			}`;
		const child = await run(spawner, script, { descriptors_max: 64 });
		assert.equal((await text(child.stdout)).trim(), "EMFILE 63");
	});

	test("no program leaves a core, and limits that are off are left alone", async () => {
		await using spawner = await makeSpawner();
		folders += 1;
		const off = { file_bytes_max: undefined, descriptors_max: undefined };
		const child = await startHosted(spawner, {
			command: "/bin/sh",
			args: ["-c", "ulimit -c; ulimit -f"],
			confinement: confinement(join(root, String(folders)), off),
		});
		assert.equal(await text(child.stdout), "0\nunlimited\n");
	});
});

describe("disk space", () => {
	test("a server that fills its disk is ended, and the limit named", async () => {
		await using spawner = await makeSpawner();
		const script = `
			const { appendFileSync } = require("node:fs");
			const { FOLDER } = process.env;
			let count = 0;
			setInterval(() => {
				count += 1;
				const place = count % 2 === 0 ? "volume" : "temp";
				appendFileSync(FOLDER + "/" + place + "/file" + (count % 8), Buffer.alloc(256 * 1024, 1));
			}, 5);`;
		const child = await run(spawner, script, { disk_bytes_max: 4 * mib });
		assert.equal((await child.exited).signal, "SIGKILL");
		assert.equal(child.end_reason?.(), "used up its disk space (limit 4MiB)");
		assert(existsSync(join(child.folder, "volume")));
	});

	test("files without a name count as long as they are open", { skip: linux }, async () => {
		await using spawner = await makeSpawner();
		const script = `
			const fs = require("node:fs");
			const path = process.env.FOLDER + "/volume/hidden";
			const handle = fs.openSync(path, "w");
			fs.unlinkSync(path);
			fs.writeSync(handle, Buffer.alloc(${8 * mib}, 1));
			process.stdin.resume();`;
		const child = await run(spawner, script, { disk_bytes_max: 4 * mib });
		await child.exited;
		assert.equal(child.end_reason?.(), "used up its disk space (limit 4MiB)");
	});
});

test("a limit that must hold and cannot refuses the start with a typed fault", async () => {
	await using spawner = await makeSpawner({ group_versions: [] });
	const refused = await trySpawn(spawner, {
		confinement: confinement(join(root, "required"), { cpus_max: 0.5, required: true }),
	});
	assert(!refused.ok);
	assert.equal(refused.problem.code, "isolation_missing");
	assert.match(refused.problem.message, /processor time \(0\.5 cores\).*moorage doctor/u);
});
