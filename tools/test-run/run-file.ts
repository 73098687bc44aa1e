import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, readFileSync, statSync } from "node:fs";
import { fileURLToPath } from "node:url";
import {
	type FileEnd,
	type FileOutcome,
	judgeFile,
	type TestEvent,
	unfinished,
} from "./outcome.ts";

/** What is kept of a test file's output, for the failure report. */
const output_chars_max = 32 * 1024;

/** How often a running file is looked at. */
const poll_ms = 250;

/** How long to wait for the standard streams of a process that has ended. */
const drain_ms_max = 500;

const reporter_path = fileURLToPath(new URL("./reporter.mjs", import.meta.url));

/** What `runFile` needs to know. */
export interface RunFileOptions {
	readonly root: string;
	/** Path relative to the root. */
	readonly file: string;
	readonly environment: NodeJS.ProcessEnv;
	/** Where the reporter of this file writes its events. */
	readonly events_path: string;
	/** Limit for the whole file. */
	readonly file_ms_max: number;
	/** Limit for one test that sets none of its own. */
	readonly test_ms_max: number;
	/** How long the file's process may live on after its last test reported. */
	readonly linger_ms_max: number;
}

/**
 * Runs one test file in a process of its own, in its own process group, and judges it. The group
 * is killed when the file takes too long or does not end after its last test.
 */
export async function runFile(options: RunFileOptions): Promise<FileOutcome> {
	const started_at_ms = performance.now();
	const child = spawn(
		process.execPath,
		[
			`--test-reporter=${reporter_path}`,
			"--test-reporter-destination=stdout",
			`--test-timeout=${options.test_ms_max}`,
			options.file,
		],
		{
			cwd: options.root,
			env: { ...options.environment, MOORAGE_TEST_EVENTS: options.events_path },
			stdio: ["ignore", "pipe", "pipe"],
			detached: true,
		},
	);
	running.add(child);
	let output = "";
	const keep = (chunk: string) => {
		output = (output + chunk).slice(-output_chars_max);
	};
	child.stdout?.setEncoding("utf8").on("data", keep);
	child.stderr?.setEncoding("utf8").on("data", keep);
	const end = await waitForEnd(child, options);
	running.delete(child);
	const duration_ms = performance.now() - started_at_ms;
	const events = readEvents(options.events_path);
	return judgeFile(options.file, events, { ...end, output }, duration_ms);
}

/** Test files that run now, so that an interrupted run leaves none behind. */
const running = new Set<ChildProcess>();

/** Kills every test file that runs now, with its process group. */
export function killRunning(): void {
	for (const child of running) killGroup(child);
}

function waitForEnd(
	child: ChildProcess,
	options: RunFileOptions,
): Promise<{ code: number | undefined; killed: FileEnd["killed"] }> {
	return new Promise((resolve) => {
		let killed: FileEnd["killed"];
		const began_at_ms = performance.now();
		const poll = setInterval(() => {
			if (performance.now() - began_at_ms > options.file_ms_max) killed = "took too long";
			else if (isLingering(options)) killed = "kept running after its tests";
			if (killed !== undefined) killGroup(child);
		}, poll_ms);
		child.on("exit", (code) => {
			clearInterval(poll);
			const finish = () => {
				clearTimeout(drain);
				child.stdout?.destroy();
				child.stderr?.destroy();
				resolve({ code: code ?? undefined, killed });
			};
			// A process that the file left behind may hold the streams open for ever.
			const drain = setTimeout(finish, drain_ms_max);
			child.on("close", finish);
		});
	});
}

/**
 * Whether all tests that began have reported, and nothing has happened since for too long.
 * node:test itself says that a file is over only when its process has nothing left to do.
 */
function isLingering({ events_path, linger_ms_max }: RunFileOptions): boolean {
	const written_at_ms = statSync(events_path, { throwIfNoEntry: false })?.mtimeMs;
	if (written_at_ms === undefined || Date.now() - written_at_ms < linger_ms_max) return false;
	const events = readEvents(events_path);
	return events.length > 0 && unfinished(events) === undefined;
}

function killGroup(child: ChildProcess): void {
	if (child.pid === undefined) return;
	try {
		process.kill(-child.pid, "SIGKILL");
	} catch {
		// It is gone already.
	}
}

function readEvents(path: string): TestEvent[] {
	if (!existsSync(path)) return [];
	const lines = readFileSync(path, "utf8").split("\n");
	return lines.filter((line) => line !== "").map((line) => JSON.parse(line) as TestEvent);
}
