import { type ChildProcess, type StdioOptions, spawn } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

/** What is kept of a test file's output, for the failure report. */
export const output_chars_max = 32 * 1024;

/** How often a running process is looked at. */
export const poll_ms = 250;

const reporter_path = fileURLToPath(new URL("./reporter.mjs", import.meta.url));

/** How a process that runs tests is started. */
export interface TestProcessOptions {
	readonly root: string;
	readonly environment: NodeJS.ProcessEnv;
	/** Where the reporter writes its events. */
	readonly events_path: string;
	/** Limit for one test that sets none of its own. */
	readonly test_ms_max: number;
}

/** Processes that run tests now, so that an interrupted run leaves none behind. */
const running = new Set<ChildProcess>();

/** Starts Node with our reporter, in a process group of its own. */
export function startTestProcess(
	options: TestProcessOptions,
	args: readonly string[],
	stdio: StdioOptions,
): ChildProcess {
	const child = spawn(
		process.execPath,
		[
			`--test-reporter=${reporter_path}`,
			"--test-reporter-destination=stdout",
			`--test-timeout=${options.test_ms_max}`,
			...args,
		],
		{
			cwd: options.root,
			env: { ...options.environment, MOORAGE_TEST_EVENTS: options.events_path },
			stdio,
			detached: true,
		},
	);
	running.add(child);
	child.on("exit", () => running.delete(child));
	return child;
}

/** Kills every process that runs tests now, with its process group. */
export function killRunning(): void {
	for (const child of running) killGroup(child);
}

/** Kills a process with everything it started in its process group. */
export function killGroup(child: ChildProcess): void {
	if (child.pid === undefined) return;
	try {
		process.kill(-child.pid, "SIGKILL");
	} catch {
		// It is gone already.
	}
}

/** The lines that were written so far. The last one may be half a line of a process at work. */
export function readEvents<T>(path: string): T[] {
	if (!existsSync(path)) return [];
	const lines = readFileSync(path, "utf8").split("\n").slice(0, -1);
	return lines.map((line) => JSON.parse(line) as T);
}
