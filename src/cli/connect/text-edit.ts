import { assert } from "../../lib/assert.ts";

/** A replacement of a range of a text; `start === end` inserts. */
export interface TextEdit {
	readonly start: number;
	readonly end: number;
	readonly text: string;
}

/** The text with all edits made; they may come in any order and never overlap. */
export function applyTextEdits(text: string, edits: readonly TextEdit[]): string {
	const ordered = edits.toSorted((one, other) => one.start - other.start || one.end - other.end);
	let edited = "";
	let from = 0;
	for (const edit of ordered) {
		assert(edit.start >= from && edit.end >= edit.start, "edits must not overlap");
		edited += text.slice(from, edit.start) + edit.text;
		from = edit.end;
	}
	return edited + text.slice(from);
}

/** Line and column, both from 1, of an offset in a text. */
export function positionOf(text: string, offset: number): { line: number; column: number } {
	const before = text.slice(0, offset);
	return {
		line: before.split("\n").length,
		column: offset - (before.lastIndexOf("\n") + 1) + 1,
	};
}

/** How lines end in this text; `\n` where it cannot be told. */
export function lineBreakOf(text: string): string {
	return text.includes("\r\n") ? "\r\n" : "\n";
}
