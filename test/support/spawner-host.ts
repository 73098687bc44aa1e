/**
 * Stands in for a gateway that will be killed: starts one stubborn server and waits. Writes a
 * line of JSON once the server and its descendants are up: `{ marker_prefix }`. With versions of
 * control groups (`2`, `1` or `none`) the server is frozen by them first. `bubblewrap` and
 * `landlock` put it into a sandbox. What is confined has a process beside it by then that waits for
 * the next program, where this machine has such.
 *
 * Usage: node spawner-host.ts <mode> <data folder> <server program> [watcher path or -]
 *   [versions or -] [sandbox]
 */
import { createInterface } from "node:readline";
import type { ContainmentMode } from "../../src/hosting/process/containment.ts";
import { launch_programs } from "../../src/hosting/process/launch-programs.ts";
import { createSpawner } from "../../src/hosting/process/spawner.ts";
import { systemClock } from "../../src/lib/clock.ts";
import { processEnvironment } from "../../src/lib/environment.ts";
import { systemRandom } from "../../src/lib/random.ts";
import type { Confinement } from "../../src/upstreams/driver.ts";
import { confinement } from "./hosted-child.ts";
import { eventually, markedProcesses } from "./processes.ts";
import { sandboxed } from "./sandboxed.ts";

const [mode, data_dir = "", server, watcher_path, groups, sandbox] = process.argv.slice(2);
const versions = groups === "-" ? undefined : groups;
const spawner = await createSpawner({
	data_dir,
	owner_id: "host",
	clock: systemClock,
	random: systemRandom,
	environment: processEnvironment(),
	containment: mode as ContainmentMode,
	watcher_path: watcher_path === "-" ? undefined : watcher_path,
	sandbox: sandbox === "landlock" ? "landlock" : undefined,
	group_versions: versions === undefined ? undefined : versionsOf(versions),
});
function confine(): Confinement | undefined {
	if (sandbox !== undefined) {
		return sandboxed(data_dir);
	}
	return versions === undefined ? undefined : confinement(data_dir);
}

function versionsOf(text: string): (1 | 2)[] {
	return text === "none" ? [] : [text === "1" ? 1 : 2];
}

/** What waits for the next program has to end with the gateway as well. */
async function untilSpare(): Promise<void> {
	const has_spares = process.platform === "linux" && launch_programs[process.arch] !== undefined;
	if (!has_spares || confine() === undefined) {
		return;
	}
	await eventually(
		() => markedProcesses(spawner.marker_prefix),
		(lines) => lines.some((line) => line.includes("/run/launch ")),
	);
}

const child = await spawner.spawn({
	server: "stubborn",
	command: process.execPath,
	args: [server ?? ""],
	env: {},
	cwd: "/",
	confinement: confine(),
});
if (!child.ok) {
	throw new Error(child.problem.message);
}
createInterface({ input: child.value.stderr }).on("line", async (line) => {
	if (line === "stubborn: all up") {
		child.value.settled?.();
		await untilSpare();
		if (versions !== undefined && !(await child.value.hibernation?.freeze())) {
			throw new Error("the server could not be frozen");
		}
		process.stdout.write(`${JSON.stringify({ marker_prefix: spawner.marker_prefix })}\n`);
	}
});
