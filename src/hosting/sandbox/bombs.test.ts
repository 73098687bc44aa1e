import assert from "node:assert/strict";
import { mkdtempSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { makeSpawner, startHosted, useObstacle } from "../../../test/support/hosted-child.ts";
import { markedProcesses } from "../../../test/support/processes.ts";
import { sandboxed, sandboxObstacle } from "../../../test/support/sandboxed.ts";
import { default_resources } from "../../config/defaults.ts";
import type { ResourcePlan } from "../../config/plan.ts";

const mib = 1024 * 1024;
const root = await mkdtemp(join(tmpdir(), "moorage-bombs-"));
after(() => rm(root, { recursive: true }));

/** All at once, so that none is lost over another. */
const limits: ResourcePlan = {
	...default_resources,
	processes_max: 48,
	memory_bytes_max: 160 * mib,
	disk_bytes_max: 8 * mib,
};
const no_groups = useObstacle([1, 2], "pids") || useObstacle([1, 2], "memory");

// Before the first suite: node:test takes a wait between two suites for the end of all of them.
const kinds = [
	{ kind: "bubblewrap", obstacle: await sandboxObstacle() },
	{ kind: "landlock", obstacle: await sandboxObstacle("landlock") },
] as const;

for (const { kind, obstacle } of kinds) {
	describe(`a sandboxed server that takes too much (${kind})`, {
		skip: obstacle || no_groups,
	}, () => {
		/** Runs a script under all limits to its end; nothing of it is left then. */
		async function endOf(script: string): Promise<string | undefined> {
			await using spawner = await makeSpawner({
				sandbox: kind === "landlock" ? kind : undefined,
			});
			const folder = mkdtempSync(join(root, "own-"));
			const child = await startHosted(spawner, {
				args: ["-e", script],
				confinement: sandboxed(folder, {}, { resources: limits }),
			});
			child.stdout.resume();
			child.stderr.resume();
			await child.exited;
			await child.stop(0);
			assert.deepEqual(markedProcesses(spawner.marker_prefix), []);
			return child.end_reason?.();
		}

		test("forks without end: it is stopped at its limit, and the limit named", async () => {
			// One by one and never more than 300, so that a machine without the limit survives it.
			const reason = await endOf(`
				const { spawn } = require("node:child_process");
				for (let count = 0; count < 300; count += 1) {
					spawn("sleep", ["1000"], { stdio: "ignore" }).on("error", () => process.exit(1));
				}`);
			assert.equal(reason, "reached its limit of 48 processes and threads");
		});

		test("eats memory: it is ended, and the limit named", async () => {
			const reason = await endOf(`
				const all = [];
				for (let count = 0; count < 256; count += 1) all.push(Buffer.alloc(4 * ${mib}, 1));
				setInterval(() => {}, 1000);`);
			assert.equal(reason, "ran out of memory (limit 160MiB)");
		});

		test("fills its volume: it is ended, and the limit named", async () => {
			const reason = await endOf(`
				const { writeFileSync } = require("node:fs");
				for (let count = 0; count < 16; count += 1) {
					writeFileSync(process.env.HOME + "/" + count, Buffer.alloc(${mib}, 1));
				}
				setInterval(() => {}, 1000);`);
			assert.equal(reason, "used up its disk space (limit 8MiB)");
		});
	});
}
