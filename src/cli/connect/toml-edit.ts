import { isDeepStrictEqual } from "node:util";
import { parse, stringify, TomlError } from "smol-toml";
import { fail, type Result, succeed } from "../../lib/result.ts";
import type { EditProblem, EntryPlace } from "./json-edit.ts";
import { applyTextEdits, lineBreakOf, positionOf, type TextEdit } from "./text-edit.ts";
import { scanToml, type TomlStatement } from "./toml-scan.ts";

type Entry = Readonly<Record<string, unknown>>;

/** The entry as it stands in the file; undefined when it is not there. */
export function readTomlEntry(
	text: string,
	place: EntryPlace,
): Result<Entry | undefined, EditProblem> {
	const parsed = parseToml(text);
	if (!parsed.ok) return parsed;
	const section = parsed.value[place.section];
	if (section === undefined) return succeed(undefined);
	if (!isTable(section)) return fail(problemAt(text, place, "is not a table"));
	const entry = section[place.name];
	if (entry === undefined || isTable(entry)) return succeed(entry);
	return fail(problemAt(text, place, `has \`${place.name}\` as something other than a table`));
}

/**
 * Puts an entry into a TOML file as a table of its own: a new one at the end of the file, an
 * existing one in its place. In an existing one only the keys in `owned` are replaced; other
 * keys, comments and tables stay byte for byte.
 */
export function setTomlEntry(
	text: string,
	place: EntryPlace,
	entry: Entry,
	owned: readonly string[],
): Result<string, EditProblem> {
	const existing = readTomlEntry(text, place);
	if (!existing.ok) return existing;
	const line_break = lineBreakOf(text);
	const body = stringify(entry).trimEnd().replaceAll("\n", line_break) + line_break;
	if (existing.value === undefined) {
		return checked(text, place, entry, [newTable(text, place, body)]);
	}
	const merged = { ...without(existing.value, owned), ...entry };
	if (isDeepStrictEqual(existing.value, merged)) return succeed(text);
	const edits = replacement(text, place, body, owned);
	if (edits === undefined) return fail(notOwnTable(text, place));
	return checked(text, place, merged, edits);
}

/** Takes an entry out again, its sub-tables included; a file without it stays as it is. */
export function removeTomlEntry(text: string, place: EntryPlace): Result<string, EditProblem> {
	const existing = readTomlEntry(text, place);
	if (!existing.ok) return existing;
	if (existing.value === undefined) return succeed(text);
	const statements = scanToml(text);
	const edits: TextEdit[] = [];
	let inside = false;
	for (const [index, statement] of statements.entries()) {
		if (statement.kind !== "pair") inside = isOurs(statement, place);
		if (!inside) continue;
		const { start, end } = statement;
		// The blank line before the table goes with it; comments before it stay.
		const from = statement.kind === "pair" ? lineStart(text, start) : gapStart(text, start, index);
		edits.push({ start: from, end, text: "" });
	}
	if (edits.length === 0) return fail(notOwnTable(text, place));
	return checked(text, place, undefined, edits);
}

/** A table of its own at the end of the file, where it cannot come between others. */
function newTable(text: string, place: EntryPlace, body: string): TextEdit {
	const line_break = lineBreakOf(text);
	const ending = text === "" || text.endsWith("\n") ? "" : line_break;
	const gap = text.trim() === "" ? "" : line_break;
	const header = `[${headerOf(place)}]${line_break}`;
	return { start: text.length, end: text.length, text: ending + gap + header + body };
}

function replacement(
	text: string,
	place: EntryPlace,
	body: string,
	owned: readonly string[],
): TextEdit[] | undefined {
	const edits: TextEdit[] = [];
	let table: readonly string[] = [];
	let found = false;
	let has_tables = false;
	for (const statement of scanToml(text)) {
		const { kind, keys, start, end } = statement;
		if (kind !== "pair") {
			const ours = isOurs(statement, place);
			has_tables ||= ours;
			table = ours ? keys.slice(2) : ["", ""];
			if (ours && keys.length === 2) {
				found = true;
				const ending = text.slice(0, end).endsWith("\n") ? "" : lineBreakOf(text);
				edits.push({ start: end, end, text: ending + body });
				continue;
			}
		}
		if (isUnder(table, statement, owned)) {
			edits.push({ start: lineStart(text, start), end, text: "" });
		}
	}
	if (found) return edits;
	// Sub-tables may stand without the table itself, which may then follow them.
	return has_tables ? [...edits, newTable(text, place, body)] : undefined;
}

/** Whether a statement belongs to one of the owned keys of our table. */
function isUnder(
	table: readonly string[],
	statement: TomlStatement,
	owned: readonly string[],
): boolean {
	if (table[0] === "") return false;
	const first = table[0] ?? (statement.kind === "pair" ? statement.keys[0] : undefined);
	return first !== undefined && owned.includes(first);
}

function isOurs(statement: TomlStatement, place: EntryPlace): boolean {
	return statement.keys[0] === place.section && statement.keys[1] === place.name;
}

function lineStart(text: string, offset: number): number {
	return text.lastIndexOf("\n", offset - 1) + 1;
}

/** Where the blank line before a header starts; the header's own line when there is none. */
function gapStart(text: string, offset: number, index: number): number {
	const start = lineStart(text, offset);
	if (index === 0) return start;
	const gap = /(?<=\n)[ \t]*\r?\n$/.exec(text.slice(0, start));
	return gap === null ? start : gap.index;
}

function headerOf(place: EntryPlace): string {
	return [place.section, place.name]
		.map((key) => (/^[A-Za-z0-9_-]+$/.test(key) ? key : JSON.stringify(key)))
		.join(".");
}

/** Applies the edits and proves on the outcome that nothing else has changed. */
function checked(
	text: string,
	place: EntryPlace,
	entry: Entry | undefined,
	edits: readonly TextEdit[],
): Result<string, EditProblem> {
	const edited = applyTextEdits(text, edits);
	const before = parseToml(text);
	const after = parseToml(edited);
	if (before.ok && after.ok) {
		const one = split(before.value, place);
		const other = split(after.value, place);
		const intact = isDeepStrictEqual(other.rest, one.rest);
		if (intact && isDeepStrictEqual(other.entry, entry)) return succeed(edited);
	}
	return fail(problemAt(text, place, "is written in a form that cannot be changed safely"));
}

function split(value: Entry, place: EntryPlace): { entry: unknown; rest: unknown } {
	const { [place.section]: section, ...others } = value;
	const entries = { ...((section ?? {}) as Entry) };
	const entry = entries[place.name];
	delete entries[place.name];
	return { entry, rest: { others, entries } };
}

function parseToml(text: string): Result<Entry, EditProblem> {
	try {
		// Big integers keep their value, so that a comparison sees every change.
		return succeed(plain(parse(text, { integersAsBigInt: "asNeeded" })) as Entry);
	} catch (error) {
		if (!(error instanceof TomlError)) throw error;
		const what = error.message.split("\n", 1)[0]?.replace(/^Invalid TOML document: /, "");
		return fail({
			message: `It is not valid TOML: ${what}.`,
			line: error.line,
			column: error.column,
		});
	}
}

/** Parsed tables have no prototype; plain objects compare equal to those made here. */
function plain(value: unknown): unknown {
	if (Array.isArray(value)) return value.map(plain);
	if (!isTable(value)) return value;
	return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, plain(one)]));
}

function isTable(value: unknown): value is Record<string, unknown> {
	return (
		typeof value === "object" && value !== null && !Array.isArray(value) && !(value instanceof Date)
	);
}

function without(entry: Entry, keys: readonly string[]): Entry {
	return Object.fromEntries(Object.entries(entry).filter(([key]) => !keys.includes(key)));
}

function notOwnTable(text: string, place: EntryPlace): EditProblem {
	const what = `has \`${place.name}\` in another form than a table of its own`;
	return problemAt(text, place, what);
}

function problemAt(text: string, place: EntryPlace, what: string): EditProblem {
	const statement = scanToml(text).find(({ keys }) => keys[0] === place.section);
	const message = `\`${place.section}\` ${what}; edit it by hand.`;
	return { message, ...positionOf(text, statement?.start ?? 0) };
}
