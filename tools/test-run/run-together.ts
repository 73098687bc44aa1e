import { closeSync, openSync, readSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { type FileMark, type FileSection, sectionsOf } from "./file-marks.ts";
import { type FileOutcome, judgeFile, type TestEvent } from "./outcome.ts";
import {
	killGroup,
	output_chars_max,
	poll_ms,
	readEvents,
	startTestProcess,
	type TestProcessOptions,
} from "./test-process.ts";

const program = fileURLToPath(new URL("./together.ts", import.meta.url));

/** What `runTogether` needs to know. */
export interface RunTogetherOptions extends TestProcessOptions {
	/** Paths relative to the root; at least one. */
	readonly files: readonly string[];
	/** What the process writes to its standard streams is kept here. */
	readonly output_path: string;
	/** Limit for each file. */
	readonly file_ms_max: number;
	/** How long what a file has at work may take to end after its last test. */
	readonly linger_ms_max: number;
	/** Told when a file begins. */
	onBegin(file: string): void;
	/** Told what a file came to, as soon as that is known. */
	onOutcome(outcome: FileOutcome): void;
}

/**
 * Runs test files one after another in one process, in its own process group, and judges each.
 * Returns the files that are still to be run: the process ends after a file that leaves something
 * behind in it, that ends it, or that takes too long and is killed with it.
 */
export async function runTogether(options: RunTogetherOptions): Promise<readonly string[]> {
	const output = openSync(options.output_path, "a+");
	try {
		const { code, killed } = await watch(options, output);
		const sections = readSections(options.events_path);
		const last = sections.at(-1);
		if (last === undefined) {
			// It did not get as far as its first file, so none of them could do better.
			const [file = "", ...others] = options.files;
			const end = { code, killed, output: readOutput(output, 0) };
			options.onOutcome(judgeFile(file, [], end, 0));
			return others;
		}
		if (last.settled === undefined) {
			const end = { code, killed, output: readOutput(output, last.opened.output_bytes) };
			const duration_ms = Date.now() - last.opened.at_ms;
			options.onOutcome(judgeFile(last.file, last.events, end, duration_ms));
		}
		return options.files.slice(sections.length);
	} finally {
		closeSync(output);
	}
}

/** Follows the process to its end, and tells of every file that is over. */
function watch(
	options: RunTogetherOptions,
	output: number,
): Promise<{ code: number | undefined; killed: "took too long" | undefined }> {
	const { events_path, files, file_ms_max, linger_ms_max } = options;
	const child = startTestProcess(
		options,
		[program, events_path, String(linger_ms_max), ...files],
		["ignore", output, output],
	);
	let killed: "took too long" | undefined;
	let began = 0;
	let told = 0;
	let began_at_ms = Date.now();
	const look = () => {
		const sections = readSections(events_path);
		for (const { file, opened } of sections.slice(began)) {
			options.onBegin(file);
			began_at_ms = opened.at_ms;
		}
		began = sections.length;
		for (const section of sections.slice(told)) {
			if (section.settled === undefined) break;
			options.onOutcome(judgeSection(section, output));
			told++;
		}
	};
	const poll = setInterval(() => {
		look();
		if (Date.now() - began_at_ms < file_ms_max + linger_ms_max) return;
		killed = "took too long";
		killGroup(child);
	}, poll_ms);
	return new Promise((resolve) => {
		child.on("exit", (code) => {
			clearInterval(poll);
			look();
			resolve({ code: code ?? undefined, killed });
		});
	});
}

/** Judges a file that is over. */
function judgeSection(section: FileSection, output: number): FileOutcome {
	const { file, events, error, opened, settled } = section;
	const left = (settled?.left ?? []).map((what) => `\n- ${what}`).join("");
	const problem = left === "" ? error : `The file left something behind in its process:${left}`;
	const written = readOutput(output, opened.output_bytes, settled?.output_bytes);
	const duration_ms = (settled?.at_ms ?? opened.at_ms) - opened.at_ms;
	return judgeFile(
		file,
		events,
		{ code: 0, killed: undefined, problem, output: written },
		duration_ms,
	);
}

function readSections(events_path: string): FileSection[] {
	return sectionsOf(readEvents<TestEvent | FileMark>(events_path));
}

/** The end of what was written to the standard streams from one place to another. */
function readOutput(descriptor: number, from: number, to = Number.POSITIVE_INFINITY): string {
	const bytes = Buffer.alloc(64 * 1024);
	const chunks: Buffer[] = [];
	for (let place = from; place < to; ) {
		const length = readSync(descriptor, bytes, 0, Math.min(bytes.length, to - place), place);
		if (length === 0) break;
		chunks.push(Buffer.from(bytes.subarray(0, length)));
		place += length;
	}
	return Buffer.concat(chunks).toString("utf8").slice(-output_chars_max);
}
