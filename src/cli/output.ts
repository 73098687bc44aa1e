import type { Writable } from "node:stream";
import { stripVTControlCharacters, styleText } from "node:util";
import type { Environment } from "../lib/environment.ts";

/** How a text may look on a terminal. */
export type Look = "bold" | "dim" | "red" | "green" | "yellow" | "cyan";

/** A stream a command writes to; terminals say so. */
export type OutputStream = Writable & { readonly isTTY?: boolean; readonly columns?: number };

const columns_default = 100;
const columns_min = 40;

/** Prints what a command has to say: results on standard output, everything else on the other. */
export class Output {
	readonly #stdout: OutputStream;
	readonly #stderr: OutputStream;
	readonly #colour_out: boolean;
	readonly #colour_err: boolean;
	readonly #environment: Environment;

	constructor(options: {
		readonly stdout: OutputStream;
		readonly stderr: OutputStream;
		readonly environment: Environment;
	}) {
		this.#environment = options.environment;
		this.#stdout = options.stdout;
		this.#stderr = options.stderr;
		this.#colour_out = hasColour(options.stdout, options.environment);
		this.#colour_err = hasColour(options.stderr, options.environment);
	}

	/** The same with its results on standard error too, where standard output is somebody else's. */
	get beside(): Output {
		const [stderr, environment] = [this.#stderr, this.#environment];
		return new Output({ stdout: stderr, stderr, environment });
	}

	/** Whether results go to a terminal, where somebody reads them. */
	get isTerminal(): boolean {
		return this.#stdout.isTTY === true;
	}

	/** A line of the result. */
	line(text = ""): void {
		this.#stdout.write(`${text}\n`);
	}

	/** The result as JSON, for programs. */
	json(value: unknown): void {
		this.#stdout.write(`${JSON.stringify(value, undefined, "\t")}\n`);
	}

	/** JSON text that is passed on as it came. */
	raw(text: string): void {
		this.#stdout.write(text.endsWith("\n") ? text : `${text}\n`);
	}

	/** A line for people beside the result: progress, warnings, mistakes. */
	note(text: string): void {
		this.#stderr.write(`${text}\n`);
	}

	/** Text with a look, where standard output is a terminal that shows it. */
	look(look: Look, text: string): string {
		return this.#colour_out ? styleText(look, text, { validateStream: false }) : text;
	}

	/** Like `look`, for notes. */
	noteLook(look: Look, text: string): string {
		return this.#colour_err ? styleText(look, text, { validateStream: false }) : text;
	}

	/**
	 * Rows as aligned columns under a head. With `cut` the last column holds prose, which on a
	 * terminal is cut to its width; addresses are never cut, they are there to be copied.
	 */
	table(
		head: readonly string[],
		rows: readonly (readonly string[])[],
		options: { readonly cut: boolean } = { cut: false },
	): void {
		const widths = head.map((title, column) =>
			Math.max(title.length, ...rows.map((row) => widthOf(row[column] ?? ""))),
		);
		const cut_here = options.cut && this.isTerminal;
		this.line(this.look("dim", this.#row(head, widths, cut_here)));
		for (const row of rows) this.line(this.#row(row, widths, cut_here));
	}

	#row(cells: readonly string[], widths: readonly number[], cut_here: boolean): string {
		const last = cells.length - 1;
		// A terminal that does not know its width says 0.
		const columns = Math.max(this.#stdout.columns || columns_default, columns_min);
		let line = "";
		let used = 0;
		for (const [column, cell] of cells.entries()) {
			if (column < last) {
				const width = (widths[column] ?? 0) + 2;
				line += cell + " ".repeat(width - widthOf(cell));
				used += width;
			} else {
				line += cut_here ? cut(cell, Math.max(columns - used, 20)) : cell;
			}
		}
		return line.trimEnd();
	}
}

/** No colour without a terminal, and none where the user asks for none (no-color.org). */
function hasColour(stream: OutputStream, environment: Environment): boolean {
	if (stream.isTTY !== true || environment["TERM"] === "dumb") return false;
	return (environment["NO_COLOR"] ?? "") === "";
}

function widthOf(text: string): number {
	return stripVTControlCharacters(text).length;
}

function cut(text: string, width: number): string {
	if (widthOf(text) <= width) return text;
	return `${stripVTControlCharacters(text).slice(0, width - 1)}…`;
}

const control_characters =
	/[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu;

/**
 * Text of a server made safe for a terminal: escape sequences are removed, and so are the
 * control characters that could move the cursor or turn the writing direction.
 */
export function printable(text: string): string {
	return stripVTControlCharacters(text).replaceAll(control_characters, "");
}

/** The first line of a text, made safe for a terminal. */
export function firstLine(text: string): string {
	return printable(text.trim().split(/\r?\n/, 1)[0] ?? "");
}

/** A duration for people: `850 ms`, `12 s`, `5 min`, `3 h 20 min`, `2 d 3 h`. */
export function duration(duration_ms: number): string {
	if (duration_ms < 1000) return `${Math.round(duration_ms)} ms`;
	const seconds = Math.floor(duration_ms / 1000);
	if (seconds < 60) return `${seconds} s`;
	const minutes = Math.floor(seconds / 60);
	if (minutes < 60) return `${minutes} min`;
	const hours = Math.floor(minutes / 60);
	if (hours < 24) return withRest(hours, "h", minutes % 60, "min");
	return withRest(Math.floor(hours / 24), "d", hours % 24, "h");
}

function withRest(whole: number, unit: string, rest: number, rest_unit: string): string {
	return rest === 0 ? `${whole} ${unit}` : `${whole} ${unit} ${rest} ${rest_unit}`;
}
