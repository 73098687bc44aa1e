import assert from "node:assert/strict";

/** One line of the reporter's file: what node:test said about one test. */
export interface TestEvent {
	readonly event: "begin" | "pass" | "fail" | "end";
	readonly name: string;
	readonly nesting: number;
	readonly line?: number;
	readonly is_suite?: boolean;
	readonly duration_ms?: number;
	readonly skip?: string;
	readonly todo?: string;
	readonly failure?: string;
	readonly error?: string;
}

/** How the process of a test file ended. */
export interface FileEnd {
	/** Exit code, or undefined when a signal ended it. */
	readonly code: number | undefined;
	/** Why the runner killed it, or undefined when it ended by itself. */
	readonly killed: "took too long" | "kept running after its tests" | undefined;
	/** What else is wrong with the file as a whole. */
	readonly problem?: string | undefined;
	/** What it wrote to its standard streams, shortened. */
	readonly output: string;
}

/** A failed test, or a file that failed as a whole. */
export interface TestFailure {
	readonly title: string;
	readonly detail: string;
}

/** What one test file came to. */
export interface FileOutcome {
	readonly file: string;
	readonly passed: number;
	readonly failures: readonly TestFailure[];
	readonly skips: readonly { readonly title: string; readonly reason: string }[];
	readonly duration_ms: number;
}

/**
 * Judges one test file by what its tests reported and how its process ended. Fails closed: a file
 * without tests, one that ends early, and one that never ends are failures.
 */
export function judgeFile(
	file: string,
	events: readonly TestEvent[],
	end: FileEnd,
	duration_ms: number,
): FileOutcome {
	let passed = 0;
	const failures: TestFailure[] = [];
	const skips: { title: string; reason: string }[] = [];
	const titles = titlesOf(events);
	for (const [index, event] of events.entries()) {
		const title = titles[index] ?? event.name;
		if (event.event === "fail" && event.failure !== "subtestsFailed") {
			const place = `${file}:${event.line ?? 1}`;
			failures.push({ title: `${place} ${title}`, detail: event.error ?? "" });
		}
		// A suite is told of by its tests, unless it is skipped: then none of them is reported.
		if (event.event !== "pass" || (event.is_suite && event.skip === undefined)) continue;
		const reason = event.skip ?? (event.todo && `todo: ${event.todo}`);
		if (reason === undefined) passed++;
		else skips.push({ title: `${file} ${title}`, reason });
	}
	const whole = judgeEnd(events, end, passed + failures.length + skips.length, failures.length);
	if (whole !== undefined) failures.push({ title: file, detail: `${whole}\n${end.output}`.trim() });
	return { file, passed, failures, skips, duration_ms };
}

/** What is wrong with the file as a whole, or undefined. */
function judgeEnd(
	events: readonly TestEvent[],
	end: FileEnd,
	tests: number,
	failed: number,
): string | undefined {
	if (end.killed !== undefined) {
		const running = unfinished(events);
		const during = running === undefined ? "" : ` during "${running}"`;
		return `The file ${end.killed}${during} and was killed.`;
	}
	if (!events.some(({ event }) => event === "end")) {
		return `The file ended before its tests did (exit code ${end.code ?? "none, a signal"}).`;
	}
	if (end.problem !== undefined) return end.problem;
	if (tests === 0) return "The file has no tests.";
	if (end.code !== 0 && failed === 0) return `The file ended with exit code ${end.code ?? "none"}.`;
	return undefined;
}

/** The name of the innermost test that began and did not report back. */
export function unfinished(events: readonly TestEvent[]): string | undefined {
	const open: TestEvent[] = [];
	for (const event of events) {
		if (event.event === "begin") open.push(event);
		else if (event.event !== "end") {
			const match = open.findLastIndex(
				({ name, nesting }) => name === event.name && nesting === event.nesting,
			);
			if (match !== -1) open.splice(match, 1);
		}
	}
	return open.at(-1)?.name;
}

/** Full titles, "suite > test". node:test reports a suite after the tests in it. */
function titlesOf(events: readonly TestEvent[]): string[] {
	const titles = events.map(({ name }) => name);
	const parents: (string | undefined)[] = [];
	for (let index = events.length - 1; index >= 0; index--) {
		const event = events[index];
		assert(event !== undefined);
		if (event.event !== "pass" && event.event !== "fail") continue;
		const parent = event.nesting === 0 ? undefined : parents[event.nesting - 1];
		const title = parent === undefined ? event.name : `${parent} > ${event.name}`;
		parents[event.nesting] = title;
		titles[index] = title;
	}
	return titles;
}

/** The closing line that other programs read. */
export function closingLine(passed: number, failed: number, skipped: number): string {
	const skips = skipped === 0 ? "" : `, ${skipped} skipped`;
	return `${passed} passed, ${failed} failed${skips}`;
}
