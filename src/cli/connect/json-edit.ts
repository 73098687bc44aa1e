import { isDeepStrictEqual } from "node:util";
import * as jsonc from "jsonc-parser";
import { fail, type Result, succeed } from "../../lib/result.ts";
import { applyTextEdits, lineBreakOf, positionOf, type TextEdit } from "./text-edit.ts";

/** Why a file is not edited: a sentence, and where in the file. */
export interface EditProblem {
	readonly message: string;
	/** From 1. */
	readonly line: number;
	readonly column: number;
}

/** A member of a member of a JSON file: `mcpServers.moorage`. */
export interface EntryPlace {
	readonly section: string;
	readonly name: string;
}

type Json = Readonly<Record<string, unknown>>;

/** Kinds of token of the scanner, which has them as a const enum only. */
const tokens = { comma: 5, line_comment: 12, line_break: 14, white_space: 15, end: 17 } as const;

const parse_options = {
	allowTrailingComma: true,
	disallowComments: false,
	allowEmptyContent: true,
};

/** The entry as it stands in the file; undefined when it is not there. */
export function readJsonEntry(
	text: string,
	place: EntryPlace,
): Result<Json | undefined, EditProblem> {
	const located = locate(text, place);
	if (!located.ok) return located;
	const value = located.value.entry?.children?.[1];
	return succeed(value === undefined ? undefined : valueOf(text, value));
}

/**
 * Puts an entry into a JSON file with or without comments. Every other byte stays where it is:
 * comments, indentation, line breaks and the order of members.
 */
export function setJsonEntry(
	text: string,
	place: EntryPlace,
	entry: Json,
): Result<string, EditProblem> {
	if (text.trim() === "") {
		const whole = { [place.section]: { [place.name]: entry } };
		return succeed(`${JSON.stringify(whole, undefined, 2)}\n`);
	}
	const located = locate(text, place);
	if (!located.ok) return located;
	const { root, section, entry: found } = located.value;
	const layout = layoutOf(text, root);
	if (found !== undefined) {
		const value = found.children?.[1] as jsonc.Node;
		if (isDeepStrictEqual(valueOf(text, value), entry)) return succeed(text);
		const written = layout.write(entry, indentOfLine(text, found.offset));
		return checked(text, place, entry, [
			{ start: value.offset, end: value.offset + value.length, text: written },
		]);
	}
	const edits =
		section === undefined
			? insertion(text, root, place.section, { [place.name]: entry }, layout)
			: insertion(text, section, place.name, entry, layout);
	return checked(text, place, entry, edits);
}

/** Takes an entry out again; a file without it stays as it is. */
export function removeJsonEntry(text: string, place: EntryPlace): Result<string, EditProblem> {
	const located = locate(text, place);
	if (!located.ok) return located;
	const { section, entry } = located.value;
	if (section === undefined || entry === undefined) return succeed(text);
	return checked(text, place, undefined, removal(text, section, entry));
}

interface Located {
	readonly root: jsonc.Node;
	readonly section: jsonc.Node | undefined;
	/** The property node: its children are the key and the value. */
	readonly entry: jsonc.Node | undefined;
}

function locate(text: string, place: EntryPlace): Result<Located, EditProblem> {
	const errors: jsonc.ParseError[] = [];
	const root = jsonc.parseTree(text, errors, parse_options);
	const error = errors[0];
	if (error !== undefined) {
		const what = sentenceOf(jsonc.printParseErrorCode(error.error));
		return fail({ message: `It is not valid JSON: ${what}.`, ...positionOf(text, error.offset) });
	}
	if (root?.type !== "object") {
		return fail({ message: "It is not a JSON object.", ...positionOf(text, root?.offset ?? 0) });
	}
	const section = member(text, root, place.section);
	if (!section.ok) return section;
	const inside = section.value?.children?.[1];
	if (inside === undefined) return succeed({ root, section: undefined, entry: undefined });
	if (inside.type !== "object") {
		const message = `\`${place.section}\` is not an object.`;
		return fail({ message, ...positionOf(text, inside.offset) });
	}
	const entry = member(text, inside, place.name);
	return entry.ok ? succeed({ root, section: inside, entry: entry.value }) : entry;
}

function member(
	text: string,
	object: jsonc.Node,
	key: string,
): Result<jsonc.Node | undefined, EditProblem> {
	const found = (object.children ?? []).filter((child) => child.children?.[0]?.value === key);
	const second = found[1];
	if (second === undefined) return succeed(found[0]);
	const message = `The key \`${key}\` stands twice.`;
	return fail({ message, ...positionOf(text, second.offset) });
}

interface Layout {
	readonly line_break: string;
	readonly unit: string;
	/** Writes a value that starts on a line with this indentation. */
	write(value: unknown, indent: string): string;
}

function layoutOf(text: string, root: jsonc.Node): Layout {
	const line_break = lineBreakOf(text);
	const one_line = !text.trim().includes("\n");
	const first = root.children?.[0];
	const unit = (first === undefined ? undefined : ownIndent(text, first.offset)) || "  ";
	const write = (value: unknown, indent: string) =>
		one_line
			? JSON.stringify(value)
			: JSON.stringify(value, undefined, unit).replaceAll("\n", `${line_break}${indent}`);
	return { line_break: one_line ? "" : line_break, unit, write };
}

/** Edits that add a member at the end of an object, behind the comments that stand there. */
function insertion(
	text: string,
	object: jsonc.Node,
	key: string,
	value: unknown,
	layout: Layout,
): TextEdit[] {
	const close = object.offset + object.length - 1;
	const last = object.children?.at(-1);
	const tail = tailOf(text, last === undefined ? object.offset + 1 : endOf(last), close);
	const own_lines = layout.line_break !== "" && text.slice(object.offset, close).includes("\n");
	const name = JSON.stringify(key);
	// A file that ends its lists with a comma goes on doing so.
	const trailing = tail.comma_end === undefined ? "" : ",";
	const comma: TextEdit[] =
		last === undefined || tail.comma_end !== undefined
			? []
			: [{ start: endOf(last), end: endOf(last), text: "," }];
	if (layout.line_break === "" || (last !== undefined && !own_lines)) {
		const space = last === undefined || text[tail.end - 1] === " " ? "" : " ";
		const gap = layout.line_break === "" && !text.includes(": ") ? "" : " ";
		const before = last === undefined || gap === "" ? "" : space;
		const written = `${before}${name}:${gap}${JSON.stringify(value)}${trailing}`;
		return [...comma, { start: tail.end, end: tail.end, text: written }];
	}
	const outer = indentOfLine(text, object.offset);
	const indent =
		(last === undefined ? undefined : ownIndent(text, last.offset)) ?? outer + layout.unit;
	const written = `${layout.line_break}${indent}${name}: ${layout.write(value, indent)}${trailing}`;
	const closes_itself = last !== undefined || text.slice(tail.end, close).includes("\n");
	const closing = closes_itself ? "" : layout.line_break + outer;
	return [...comma, { start: tail.end, end: tail.end, text: written + closing }];
}

/** Edits that take a member out with one comma, and leave every comment. */
function removal(text: string, object: jsonc.Node, entry: jsonc.Node): TextEdit[] {
	const children = object.children ?? [];
	const index = children.indexOf(entry);
	const close = object.offset + object.length - 1;
	const before = children[index - 1];
	const after = children[index + 1];
	const from = before === undefined ? object.offset + 1 : endOf(before);
	const head = tailOf(text, from, entry.offset);
	const tail = tailOf(text, endOf(entry), after?.offset ?? close);
	const edits: TextEdit[] = [];
	let end = endOf(entry);
	if (tail.comma_end !== undefined) {
		// Comments between the entry and its comma stay.
		if (text.slice(end, tail.comma_end - 1).trim() === "") end = tail.comma_end;
		else edits.push({ start: tail.comma_end - 1, end: tail.comma_end, text: "" });
	} else if (head.comma_end !== undefined) {
		edits.push({ start: head.comma_end - 1, end: head.comma_end, text: "" });
	}
	const rest = text.slice(end, close + 1);
	const keeps_line = head.ends_in_line_comment && !/^\r?\n/.test(rest);
	let start = keeps_line ? entry.offset : head.end;
	if (
		before === undefined &&
		after === undefined &&
		tail.end === (tail.comma_end ?? endOf(entry))
	) {
		// Nothing is left but white space: the object closes up.
		if (head.end === object.offset + 1) [start, end] = [head.end, close];
	}
	edits.push({ start, end, text: "" });
	return edits;
}

interface Tail {
	/** Behind the last comment or comma, or where the search began. */
	readonly end: number;
	/** Behind the comma, where there is one. */
	readonly comma_end: number | undefined;
	readonly ends_in_line_comment: boolean;
}

/** What stands between two members: comments and at most one comma. */
function tailOf(text: string, from: number, to: number): Tail {
	const scanner = jsonc.createScanner(text.slice(from, to), false);
	let tail: Tail = { end: from, comma_end: undefined, ends_in_line_comment: false };
	for (;;) {
		const token: number = scanner.scan();
		if (token === tokens.end) return tail;
		if (token === tokens.white_space || token === tokens.line_break) continue;
		const end = from + scanner.getTokenOffset() + scanner.getTokenLength();
		const comma = token === tokens.comma;
		tail = {
			end,
			comma_end: comma ? end : tail.comma_end,
			ends_in_line_comment: token === tokens.line_comment,
		};
	}
}

/** Applies the edits and proves on the outcome that nothing else has changed. */
function checked(
	text: string,
	place: EntryPlace,
	entry: Json | undefined,
	edits: readonly TextEdit[],
): Result<string, EditProblem> {
	const edited = applyTextEdits(text, edits);
	const errors: jsonc.ParseError[] = [];
	const before = withoutEntry(jsonc.parse(text, [], parse_options), place);
	const parsed: unknown = jsonc.parse(edited, errors, parse_options);
	const found = (parsed as Record<string, Json> | undefined)?.[place.section]?.[place.name];
	const intact =
		errors.length === 0 &&
		isDeepStrictEqual(found, entry) &&
		isDeepStrictEqual(withoutEntry(parsed, place), before);
	if (intact) return succeed(edited);
	const message = "It is laid out in a way that cannot be changed safely; edit it by hand.";
	return fail({ message, line: 1, column: 1 });
}

function withoutEntry(value: unknown, place: EntryPlace): unknown {
	const { [place.section]: section, ...others } = value as Record<string, Json | undefined>;
	const { [place.name]: _, ...entries } = section ?? {};
	return { others, entries };
}

/** The value of a node as plain objects, which compare equal to those made here. */
function valueOf(text: string, node: jsonc.Node): Json {
	return jsonc.parse(text.slice(node.offset, endOf(node)), [], parse_options) as Json;
}

function endOf(node: jsonc.Node): number {
	return node.offset + node.length;
}

/** The white space before `offset`, when nothing else stands before it on its line. */
function ownIndent(text: string, offset: number): string | undefined {
	const start = text.lastIndexOf("\n", offset - 1) + 1;
	const before = text.slice(start, offset);
	return start > 0 && /^[ \t]*$/.test(before) ? before : undefined;
}

function indentOfLine(text: string, offset: number): string {
	const start = text.lastIndexOf("\n", offset - 1) + 1;
	return /^[ \t]*/.exec(text.slice(start))?.[0] ?? "";
}

/** `PropertyNameExpected` as `property name expected`. */
function sentenceOf(code: string): string {
	return code
		.replaceAll(/([A-Z])/g, " $1")
		.trim()
		.toLowerCase();
}
