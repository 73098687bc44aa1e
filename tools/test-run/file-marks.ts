import type { TestEvent } from "./outcome.ts";

/** What a process with several test files writes where one of them begins or is over. */
export type FileMark =
	| {
			readonly event: "opened";
			readonly file: string;
			readonly at_ms: number;
			/** How much the process had written to its standard streams. */
			readonly output_bytes: number;
	  }
	| {
			readonly event: "settled";
			readonly file: string;
			readonly at_ms: number;
			readonly output_bytes: number;
			/** What the file changed in the process, or kept at work there. */
			readonly left: readonly string[];
	  };

/** What is known of one test file that began in such a process. */
export interface FileSection {
	readonly file: string;
	/** As a process of its own would have reported them. */
	readonly events: readonly TestEvent[];
	/** Why the file as a whole failed, such as a module that it could not load. */
	readonly error: string | undefined;
	readonly opened: Extract<FileMark, { event: "opened" }>;
	/** Undefined while it runs, and when the process ended before it was over. */
	readonly settled: Extract<FileMark, { event: "settled" }> | undefined;
}

/** Parts what a process with several test files wrote into what each of them did. */
export function sectionsOf(lines: readonly (TestEvent | FileMark)[]): FileSection[] {
	const sections: FileSection[] = [];
	for (const line of lines) {
		if (line.event === "opened") {
			sections.push({
				file: line.file,
				events: [],
				error: undefined,
				opened: line,
				settled: undefined,
			});
			continue;
		}
		const last = sections.at(-1);
		if (last === undefined) continue;
		sections[sections.length - 1] = { ...last, ...withLine(last, line) };
	}
	return sections;
}

function withLine(
	section: FileSection,
	line: TestEvent | Exclude<FileMark, { event: "opened" }>,
): Partial<FileSection> {
	if (line.event === "settled") {
		return { settled: line, events: [...section.events, endOf(line)] };
	}
	if (line.event === "end") return {};
	// The suite that stands for the file itself.
	if (line.nesting === 0) {
		const failed = line.event === "fail" && line.failure !== "subtestsFailed";
		return failed ? { error: line.error ?? "it failed" } : {};
	}
	return { events: [...section.events, { ...line, nesting: line.nesting - 1 }] };
}

function endOf({ file }: FileMark): TestEvent {
	return { event: "end", name: file, nesting: 0 };
}
