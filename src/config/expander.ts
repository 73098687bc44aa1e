import { isAbsolute, join, resolve } from "node:path";
import { read_limits } from "./defaults.ts";
import { offsetWithin, type Placed } from "./located.ts";
import { expandReferences, type ReferenceValues } from "./references.ts";
import type { Report } from "./report.ts";

/** Expands a file's texts, sending what is wrong with them to the report. */
export class Expander {
	readonly #values: ReferenceValues;
	readonly #report: Report;

	constructor(values: ReferenceValues, report: Report) {
		this.#values = values;
		this.#report = report;
	}

	/** The text with its references replaced. */
	text(placed: Placed): string {
		const expansion = expandReferences(placed.text, this.#values);
		for (const note of expansion.notes) {
			const offset = offsetWithin(placed, note.index);
			if (note.kind === "problem") this.#report.problem(offset, note.message, note.next);
			else this.#report.warn(offset, note.message);
		}
		if (expansion.text.includes("\0")) {
			this.#report.problem(placed.start, "The text holds a NUL character.", "Remove it.");
		}
		if (expansion.text.length > read_limits.text_chars_max) {
			this.#report.problem(
				placed.start,
				`The text is longer than ${read_limits.text_chars_max} characters.`,
				"Put it into a file and name the file instead.",
			);
		}
		return expansion.text;
	}

	/** An absolute path: `~/` is the home folder, anything relative is taken from `base`. */
	path(placed: Placed, base: string): string {
		const text = this.text(placed);
		if (text === "~") return this.#values.home;
		if (text.startsWith("~/")) return join(this.#values.home, text.slice(2));
		return isAbsolute(text) ? resolve(text) : resolve(base, text);
	}
}
