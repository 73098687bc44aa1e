/** One thing that is wrong with a configuration, at its place in the file. */
export interface ConfigProblem {
	/** The file as the user knows it, or the command-line option concerned. */
	readonly file: string;
	/** Line from 1; 0 when the problem has no place in a file. */
	readonly line: number;
	/** Column from 1, in UTF-16 units; 0 when the problem has no place in a file. */
	readonly column: number;
	/** A sentence that says what is wrong. Never holds the value of a reference. */
	readonly message: string;
	/** A sentence that says what to do. */
	readonly next: string;
}

/** A problem as one line for a terminal or a log: `file:line:column: message next`. */
export function formatProblem(problem: ConfigProblem): string {
	const place =
		problem.line === 0 ? problem.file : `${problem.file}:${problem.line}:${problem.column}`;
	return `${place}: ${problem.message} ${problem.next}`;
}

/** A problem that has no place inside a file. */
export function placelessProblem(file: string, message: string, next: string): ConfigProblem {
	return { file, line: 0, column: 0, message, next };
}
