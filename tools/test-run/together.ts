/**
 * Runs test files one after another in this process: `node together.ts EVENTS LINGER_MS FILE...`,
 * where the reporter writes to the same file of events. Each is a suite, so that its hooks are its
 * own, and what it leaves behind in the process is noticed: then this process ends, and the next
 * file starts in a fresh one.
 *
 * Writes a line when a file begins and one when it is over to the file of the reporter.
 */
import { appendFileSync, fstatSync } from "node:fs";
import { join } from "node:path";
import { suite } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { pathToFileURL } from "node:url";
import type { FileMark } from "./file-marks.ts";
import { type ProcessState, stillOpen, takeState, whatIsLeft } from "./process-state.ts";
import { whenSuiteIsReported } from "./reporter.mjs";

const [events_path = "", linger_text = "", ...files] = process.argv.slice(2);
const linger_ms_max = Number(linger_text);

/** How often it is looked whether what a file had at work has ended. */
const look_ms = 10;

// A test may wait for what does not keep the process alive, such as a thread of the source.
const alive_ms = 2 ** 30;
setInterval(() => {}, alive_ms);

// node:test names such an error only at the very end, which may not come.
process.on("uncaughtExceptionMonitor", (error) => console.error(error));
process.on("unhandledRejection", (error) => console.error(error));

function mark(mark: FileMark): void {
	appendFileSync(events_path, `${JSON.stringify(mark)}\n`);
}

/** Runs one file; returns what it left behind. */
async function runOne(file: string): Promise<string[]> {
	const path = join(process.cwd(), file);
	process.env["MOORAGE_TEST_FILE"] = file;
	process.argv.splice(1, Number.POSITIVE_INFINITY, path);
	mark({ event: "opened", file, at_ms: Date.now(), output_bytes: fstatSync(1).size });
	let before = takeState();
	await suite(file, async () => {
		try {
			await import(pathToFileURL(path).href);
		} finally {
			// What modules do when they are loaded is done once for all who use them.
			const { listeners, globals } = takeState();
			before = { ...before, listeners, globals };
		}
	});
	await whenSuiteIsReported(file);
	const left = await settle(before);
	mark({ event: "settled", file, at_ms: Date.now(), output_bytes: fstatSync(1).size, left });
	return left;
}

/** Gives what is at work the time to end that a process of its own would have, and looks then. */
async function settle(before: ProcessState): Promise<string[]> {
	const until_ms = performance.now() + linger_ms_max;
	while (stillOpen(before).length > 0 && performance.now() < until_ms) await sleep(look_ms);
	return whatIsLeft(before);
}

for (const file of files) {
	if ((await runOne(file)).length > 0) break;
}
process.exit(0);
