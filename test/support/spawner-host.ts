/**
 * Stands in for a gateway that will be killed: starts one stubborn server and waits. Writes a
 * line of JSON once the server and its descendants are up: `{ marker_prefix }`.
 *
 * Usage: node spawner-host.ts <mode> <data folder> <server program> [watcher path]
 */
import { createInterface } from "node:readline";
import type { ContainmentMode } from "../../src/hosting/process/containment.ts";
import { createSpawner } from "../../src/hosting/process/spawner.ts";
import { systemClock } from "../../src/lib/clock.ts";
import { processEnvironment } from "../../src/lib/environment.ts";
import { systemRandom } from "../../src/lib/random.ts";

const [mode, data_dir, server, watcher_path] = process.argv.slice(2);
const spawner = await createSpawner({
	data_dir: data_dir ?? "",
	owner_id: "host",
	clock: systemClock,
	random: systemRandom,
	environment: processEnvironment(),
	containment: mode as ContainmentMode,
	watcher_path,
});
const child = await spawner.spawn({
	server: "stubborn",
	command: process.execPath,
	args: [server ?? ""],
	env: {},
	cwd: "/",
});
if (!child.ok) {
	throw new Error(child.problem.message);
}
createInterface({ input: child.value.stderr }).on("line", (line) => {
	if (line === "stubborn: all up") {
		process.stdout.write(`${JSON.stringify({ marker_prefix: spawner.marker_prefix })}\n`);
	}
});
