/**
 * `npm test [-- FILTER ...]`: runs every test of the project with node:test, many files to a
 * process. A filter is part of a path; a file runs when any filter is in its path. Without one,
 * `npm test` leaves out test/long/, and `npm run long` runs that alone.
 */
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync } from "node:fs";
import { availableParallelism, tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { styleText } from "node:util";
import { listFiles } from "./lib/files.ts";
import { repository_root } from "./lib/paths.ts";
import { sweepProcesses } from "./test-run/leftovers.ts";
import { closingLine, type FileOutcome, type TestFailure } from "./test-run/outcome.ts";
import { inspector, mcp_remote, provideTool } from "./test-run/provided-tool.ts";
import { type Phase, runPhases } from "./test-run/run-files.ts";
import { killRunning } from "./test-run/test-process.ts";
import { provideUv } from "./test-run/uv.ts";

const say = (line: string): void => void process.stdout.write(`${line}\n`);

const tools_folder = join(repository_root, ".tools");

/** Tests that host servers from package registries, or drive other people's programs. */
const needs_programs = /^(test\/|src\/hosting\/packages\/)/;

/**
 * Unit tests use little but the processor; end-to-end ones start several processes each. Those that
 * need programs come last, because `programs` are provided meanwhile.
 */
function phasesOf(files: readonly string[], programs: Promise<void>): Phase[] {
	const tests = files.filter((file) => file.endsWith(".test.ts"));
	const cores = availableParallelism();
	const units = tests.filter((file) => /^(src|tools|bench)\//.test(file));
	const unit_limits = {
		concurrency: cores,
		together_max: 30,
		file_ms_max: 180_000,
		test_ms_max: 60_000,
		linger_ms_max: 15_000,
	};
	return [
		{
			title: "unit tests",
			files: units.filter((file) => !needs_programs.test(file)),
			...unit_limits,
		},
		{
			title: "unit tests with package managers",
			files: units.filter((file) => needs_programs.test(file)),
			ready: programs,
			...unit_limits,
		},
		{
			title: "end-to-end tests",
			files: longestFirst(tests.filter((file) => file.startsWith("test/"))),
			ready: programs,
			concurrency: Math.max(2, Math.floor(cores / 2)),
			// The long ones measure what their process does over a long time.
			together_max: long ? 1 : 12,
			file_ms_max: 900_000,
			test_ms_max: 300_000,
			linger_ms_max: 60_000,
		},
	];
}

/** Long files take long, and one that is begun last would be waited for by all others. */
function longestFirst(files: readonly string[]): string[] {
	const bytes = new Map(files.map((file) => [file, statSync(join(repository_root, file)).size]));
	return files.toSorted((one, other) => (bytes.get(other) ?? 0) - (bytes.get(one) ?? 0));
}

/** The environment of every test: this Node first on the PATH, and a temporary folder. */
function environmentOf(scratch: string, run_id: string): NodeJS.ProcessEnv {
	const environment: NodeJS.ProcessEnv = { ...process.env };
	// Set when another node:test runs us, and would change how the tests report.
	delete environment["NODE_TEST_CONTEXT"];
	environment["PATH"] = [dirname(process.execPath), environment["PATH"]].join(delimiter);
	environment["TMPDIR"] = join(scratch, "tmp");
	environment["MOORAGE_TEST_RUN"] = run_id;
	// The tests start hundreds of processes that load the same modules.
	environment["NODE_COMPILE_CACHE"] = join(tools_folder, "compiled");
	return environment;
}

/** Programs that tests drive, and the variable that says where each is. */
const driven_tools = [
	[inspector, "MOORAGE_TEST_INSPECTOR"],
	[mcp_remote, "MOORAGE_TEST_MCP_REMOTE"],
] as const;

/** Puts uv on the PATH and says where other programs are, or says in a line why not. */
async function providePrograms(environment: NodeJS.ProcessEnv): Promise<void> {
	const uv = await provideUv({ tools_folder, environment, say });
	if (uv.missing !== undefined) say(`uv is missing, so no Python server is tested: ${uv.missing}`);
	for (const [tool, variable] of driven_tools) {
		const { script, missing } = await provideTool(tool, { tools_folder, environment, say });
		if (script !== undefined) environment[variable] = script;
		else say(`${tool.name} is missing, so it is not tested with: ${missing}`);
	}
	if (uv.folder === undefined) return;
	environment["PATH"] = [uv.folder, environment["PATH"]].join(delimiter);
}

const leftovers_shown_max = 40;

/** Node keeps compiled code in the temporary folder for programs that ask for it, such as npm. */
const files_of_node = new Set(["node-compile-cache"]);

/** What the tests left behind: files in their temporary folder, and processes. */
async function findLeftovers(scratch: string, run_id: string): Promise<TestFailure[]> {
	const processes = await sweepProcesses(`MOORAGE_TEST_RUN=${run_id}`);
	const failures = processes.map(({ pid, test_file, command }) => ({
		title: `${test_file} left a process behind`,
		detail: `${pid} ${command}`,
	}));
	const temp = join(scratch, "tmp");
	const files = readdirSync(temp).filter((name) => !files_of_node.has(name));
	if (files.length === 0) return failures;
	// What lies in a folder tells who made it; its own name does not.
	const inside = files.flatMap((name) =>
		statSync(join(temp, name)).isDirectory()
			? readdirSync(join(temp, name), { encoding: "utf8", recursive: true }).map((path) =>
					join(name, path),
				)
			: [],
	);
	const shown = [...files, ...inside].slice(0, leftovers_shown_max).join(", ");
	const detail = `The temporary folder still holds ${shown}`;
	return [...failures, { title: "the tests left files behind", detail }];
}

function report(outcomes: readonly FileOutcome[], leftovers: readonly TestFailure[]): boolean {
	const failures = [...outcomes.flatMap((outcome) => outcome.failures), ...leftovers];
	const skips = outcomes.flatMap((outcome) => outcome.skips);
	const passed = outcomes.reduce((sum, outcome) => sum + outcome.passed, 0);
	for (const { title, reason } of skips) say(`skipped: ${title}: ${reason}`);
	for (const { title, detail } of failures) {
		say(`\n${styleText("red", `✗ ${title}`)}\n${detail.replaceAll(/^/gm, "    ")}`);
	}
	if (failures.length === 0 && passed === 0) say("\nNo test ran, which counts as a failure.");
	say("");
	say(closingLine(passed, failures.length, skips.length));
	return failures.length === 0 && passed > 0;
}

const filters = process.argv.slice(2).filter((argument) => argument !== "--long");
const long = process.argv.includes("--long");
const isWanted = (file: string) => {
	if (filters.length === 0) return file.startsWith("test/long/") === long;
	return (
		filters.some((filter) => file.includes(filter)) && (!long || file.startsWith("test/long/"))
	);
};
const scratch = mkdtempSync(join(tmpdir(), "moorage-test-"));
// Tests that run as another user pass through it; it lists nothing to them.
chmodSync(scratch, 0o711);
const run_id = scratch.slice(-6);
const clean = () => rmSync(scratch, { recursive: true, force: true });
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
	process.once(signal, () => {
		killRunning();
		clean();
		process.kill(process.pid, signal);
	});
}
try {
	mkdirSync(join(scratch, "tmp"));
	const files = listFiles(repository_root).filter(isWanted);
	const environment = environmentOf(scratch, run_id);
	const is_needed = files.some((file) => needs_programs.test(file));
	const programs = is_needed ? providePrograms(environment) : Promise.resolve();
	const context = { root: repository_root, environment, scratch, say };
	const outcomes = await runPhases(phasesOf(files, programs), context);
	const is_green = report(outcomes, await findLeftovers(scratch, run_id));
	process.exitCode = is_green ? 0 : 1;
} finally {
	clean();
}
