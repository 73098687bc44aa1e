import { LineCounter } from "yaml";
import type { ConfigProblem } from "./problem.ts";

/** Problems listed before the rest is only counted. */
const problems_max = 50;

/** A configuration's text, with the way from an offset to a line and a column. */
export class SourceFile {
	/** The file as the user knows it, for messages. */
	readonly name: string;
	readonly text: string;
	readonly #lines = new LineCounter();

	constructor(name: string, text: string) {
		this.name = name;
		this.text = text;
		this.#lines.addNewLine(0);
		for (let at = text.indexOf("\n"); at !== -1; at = text.indexOf("\n", at + 1)) {
			this.#lines.addNewLine(at + 1);
		}
	}

	/** Line and column, both from 1, of an offset in the text. */
	position(offset: number): { line: number; column: number } {
		const { line, col } = this.#lines.linePos(offset);
		return { line, column: col };
	}
}

/** Collects what is wrong with one file, so that several problems are reported at once. */
export class Report {
	readonly source: SourceFile;
	readonly #problems: ConfigProblem[] = [];
	readonly #warnings: { readonly offset: number; readonly text: string }[] = [];

	constructor(source: SourceFile) {
		this.source = source;
	}

	/** Records an error at an offset of the file. */
	problem(offset: number, message: string, next: string): void {
		const { line, column } = this.source.position(offset);
		this.#problems.push({ file: this.source.name, line, column, message, next });
	}

	/** Records an error that has its place elsewhere, such as a command-line option. */
	problemElsewhere(problem: ConfigProblem): void {
		this.#problems.push(problem);
	}

	/** Records something worth telling that does not stop anything. */
	warn(offset: number, message: string): void {
		const { line, column } = this.source.position(offset);
		this.#warnings.push({ offset, text: `${this.source.name}:${line}:${column}: ${message}` });
	}

	get failed(): boolean {
		return this.#problems.length > 0;
	}

	/** All warnings in the order of the file. */
	get warnings(): readonly string[] {
		return this.#warnings.toSorted((a, b) => a.offset - b.offset).map(({ text }) => text);
	}

	/** All problems in the order of the file, the tail folded into one when there are many. */
	problems(): readonly ConfigProblem[] {
		const sorted = this.#problems.toSorted((a, b) => a.line - b.line || a.column - b.column);
		if (sorted.length <= problems_max) return sorted;
		const rest = sorted.length - problems_max;
		const last = sorted[problems_max] as ConfigProblem;
		return [
			...sorted.slice(0, problems_max),
			{
				...last,
				message: `There are ${rest} more problems from here on.`,
				next: "Correct the ones above first.",
			},
		];
	}
}

/** Reports a key that stands twice, or the one name no map may have. */
export function reportKey(
	report: Report,
	key: string,
	key_start: number,
	first: number | undefined,
): void {
	if (first === undefined) {
		report.problem(key_start, `The key \`${key}\` cannot be used.`, "Choose another name.");
		return;
	}
	const { line, column } = report.source.position(first);
	report.problem(
		key_start,
		`The key \`${key}\` stands twice; the first is at ${line}:${column}.`,
		"Remove or rename one of them.",
	);
}
