import { stringify } from "smol-toml";
import type { Result } from "../../lib/result.ts";
import type { ClientKind } from "./clients.ts";
import { type EditProblem, readJsonEntry, removeJsonEntry, setJsonEntry } from "./json-edit.ts";
import { removeTomlEntry, setTomlEntry } from "./toml-edit.ts";

type Entry = Readonly<Record<string, unknown>>;

/** The text of a client's file with the entry in it; the same text when it is there already. */
export function withEntry(
	client: ClientKind,
	text: string,
	name: string,
	entry: Entry,
): Result<string, EditProblem> {
	const place = { section: client.section, name };
	if (client.format === "toml") return setTomlEntry(text, place, entry, client.owned);
	if (text.trim() === "") return setJsonEntry(text, place, entry);
	const before = readJsonEntry(text, place);
	if (!before.ok) return before;
	return setJsonEntry(text, place, mergeEntry(before.value, entry, client.owned));
}

/** The text of a client's file without the entry; the same text when it is not there. */
export function withoutEntry(
	client: ClientKind,
	text: string,
	name: string,
): Result<string, EditProblem> {
	const place = { section: client.section, name };
	if (client.format === "toml") return removeTomlEntry(text, place);
	return removeJsonEntry(text.trim() === "" ? "{}" : text, place);
}

/** What a user would paste into the client's file by hand. */
export function entrySnippet(client: ClientKind, name: string, entry: Entry): string {
	const whole = { [client.section]: { [name]: entry } };
	if (client.format === "toml") return stringify(whole).trim();
	return JSON.stringify(whole, undefined, 2);
}

/** What the user added to an entry (disabled, allowed tools, ...) outlives a new connection. */
function mergeEntry(before: unknown, entry: Entry, owned: readonly string[]): Entry {
	if (typeof before !== "object" || before === null || Array.isArray(before)) return entry;
	const kept = Object.entries(before).filter(([key]) => !owned.includes(key));
	return { ...entry, ...Object.fromEntries(kept) };
}
