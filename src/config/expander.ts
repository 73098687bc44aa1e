import { isAbsolute, join, resolve } from "node:path";
import { templateParts } from "../secrets/template.ts";
import { read_limits } from "./defaults.ts";
import type { LiteralSecrets, TextPlace } from "./literal-secrets.ts";
import { offsetWithin, type Placed } from "./located.ts";
import {
	type Expansion,
	expandReferences,
	keepReferences,
	type ReferenceValues,
} from "./references.ts";
import type { Report } from "./report.ts";

/** Expands a file's texts, sending what is wrong with them to the report. */
export class Expander {
	readonly #values: ReferenceValues;
	readonly #report: Report;
	readonly #literals: LiteralSecrets;

	constructor(values: ReferenceValues, report: Report, literals: LiteralSecrets) {
		this.#values = values;
		this.#report = report;
		this.#literals = literals;
	}

	/** The text with its references replaced. */
	text(placed: Placed): string {
		return this.#checked(placed, expandReferences(placed.text, this.#values));
	}

	/** The text as a template, whose references are replaced when the server starts. */
	template(placed: Placed, place: TextPlace): string {
		const kept = keepReferences(placed.text, this.#values);
		const template = this.#checked(placed, kept);
		if (template.includes("${")) this.#checkLength(placed, this.sample(template, "x"));
		// What is left of a reference that is wrong would only be reported once more.
		if (kept.notes.some(({ kind }) => kind === "problem")) return template;
		return this.#literals.keep(template, placed, place);
	}

	/** What a template becomes with the environment of today, and with `other` for all else. */
	sample(template: string, other: string): string {
		const { environment } = this.#values;
		return templateParts(template)
			.map((part) => {
				if (typeof part === "string") return part;
				return part.kind === "env" ? (environment[part.body] ?? other) : other;
			})
			.join("");
	}

	#checkLength(placed: Placed, text: string): void {
		if (text.length <= read_limits.text_chars_max) return;
		this.#report.problem(
			placed.start,
			`The text is longer than ${read_limits.text_chars_max} characters.`,
			"Put it into a file and name the file instead.",
		);
	}

	#checked(placed: Placed, expansion: Expansion): string {
		for (const note of expansion.notes) {
			const offset = offsetWithin(placed, note.index);
			if (note.kind === "problem") this.#report.problem(offset, note.message, note.next);
			else this.#report.warn(offset, note.message);
		}
		if (expansion.text.includes("\0")) {
			this.#report.problem(placed.start, "The text holds a NUL character.", "Remove it.");
		}
		this.#checkLength(placed, expansion.text);
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
