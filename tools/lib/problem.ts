/** Something a check found, at a place a person can go to. */
export interface Problem {
	/** Path relative to the root. */
	readonly file: string;
	readonly line: number;
	/** A sentence that says what is wrong and what to do. */
	readonly message: string;
}

/** `file:line message`, one per line, in the order of the files. */
export function formatProblems(problems: readonly Problem[]): string {
	const sorted = problems.toSorted((a, b) => compare(a.file, b.file) || a.line - b.line);
	return sorted.map(({ file, line, message }) => `${file}:${line} ${message}`).join("\n");
}

function compare(a: string, b: string): number {
	if (a === b) return 0;
	return a < b ? -1 : 1;
}
