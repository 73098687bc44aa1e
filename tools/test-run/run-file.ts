import type { ChildProcess } from "node:child_process";
import { statSync } from "node:fs";
import {
	type FileEnd,
	type FileOutcome,
	judgeFile,
	type TestEvent,
	unfinished,
} from "./outcome.ts";
import {
	killGroup,
	output_chars_max,
	poll_ms,
	readEvents,
	startTestProcess,
	type TestProcessOptions,
} from "./test-process.ts";

/** How long to wait for the standard streams of a process that has ended. */
const drain_ms_max = 500;

/** What `runFile` needs to know. */
export interface RunFileOptions extends TestProcessOptions {
	/** Path relative to the root. */
	readonly file: string;
	/** Limit for the whole file. */
	readonly file_ms_max: number;
	/** How long the file's process may live on after its last test reported. */
	readonly linger_ms_max: number;
}

/**
 * Runs one test file in a process of its own, in its own process group, and judges it. The group
 * is killed when the file takes too long or does not end after its last test.
 */
export async function runFile(options: RunFileOptions): Promise<FileOutcome> {
	const started_at_ms = performance.now();
	const child = startTestProcess(options, [options.file], ["ignore", "pipe", "pipe"]);
	let output = "";
	const keep = (chunk: string) => {
		output = (output + chunk).slice(-output_chars_max);
	};
	child.stdout?.setEncoding("utf8").on("data", keep);
	child.stderr?.setEncoding("utf8").on("data", keep);
	const end = await waitForEnd(child, options);
	const duration_ms = performance.now() - started_at_ms;
	const events = readEvents<TestEvent>(options.events_path);
	return judgeFile(options.file, events, { ...end, output }, duration_ms);
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
	const events = readEvents<TestEvent>(events_path);
	return events.length > 0 && unfinished(events) === undefined;
}
