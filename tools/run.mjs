// @ts-check
/**
 * What every npm script starts: `node tools/run.mjs <task> [arguments]`. Runs on Node 18 and
 * later, provides the Node and the dependencies that the task needs, then runs it as source.
 */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { withNode24 } from "../bin/launcher/moorage.mjs";
import { package_root } from "../bin/launcher/places.mjs";

/**
 * A task's program, as a path in this folder's parent, and the arguments that come before those
 * of the person.
 * @type {Map<string, { program: string, args: string[] }>}
 */
const tasks = new Map([
	["start", { program: "bin/launcher/start.mjs", args: quickstartArguments() }],
	["test", { program: "tools/test.ts", args: [] }],
	["long", { program: "tools/test.ts", args: ["--long"] }],
	["check", { program: "tools/check.ts", args: [] }],
	["format", { program: "tools/format.ts", args: [] }],
	["schema", { program: "tools/schema.ts", args: [] }],
	["build", { program: "tools/build.ts", args: [] }],
	["package", { program: "tools/package.ts", args: [] }],
	["bench", { program: "bench/main.ts", args: [] }],
	["bench:full", { program: "bench/main.ts", args: ["--full"] }],
	["bench:check", { program: "bench/main.ts", args: ["--check"] }],
	["conformance", { program: "tools/conformance.ts", args: [] }],
	["chaos", { program: "tools/chaos.ts", args: [] }],
	["matrix", { program: "tools/matrix.ts", args: [] }],
]);

/** Tasks that may show somebody the dashboard: it is built first, where it is not up to date. */
const shows_dashboard = new Set(["start", "test", "long"]);

async function buildDashboard() {
	const tool = join(package_root, "tools", "lib", "dashboard.ts");
	const { buildDashboard } = await import(pathToFileURL(tool).href);
	await buildDashboard(package_root);
}

/** The quickstart keeps its state beside its configuration, away from the person's own. */
function quickstartArguments() {
	const folder = join(package_root, "examples", "quickstart");
	return ["up", join(folder, "mcp.json"), "--data", join(folder, ".moorage")];
}

const [name = "", ...args] = process.argv.slice(2);
const task = tasks.get(name);
if (task === undefined || !existsSync(join(package_root, task.program))) {
	const known = [...tasks.keys()].filter((key) =>
		existsSync(join(package_root, tasks.get(key)?.program ?? "")),
	);
	process.stderr.write(`There is no task "${name}" here. There are: ${known.join(", ")}.\n`);
	process.exitCode = 2;
} else {
	await withNode24(package_root, async () => {
		const program = join(package_root, task.program);
		if (shows_dashboard.has(name)) await buildDashboard();
		// The program itself is known by the name that a person types.
		const known_as = name === "start" ? join(package_root, "bin", "moorage") : program;
		process.argv = [process.execPath, known_as, ...task.args, ...args];
		await import(pathToFileURL(program).href);
	});
}
