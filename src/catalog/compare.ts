import { type SchemaBreak, schemaBreaks } from "./schema-breaks.ts";
import type { CatalogItem, ItemKind, ServerCatalog } from "./server-catalog.ts";
import { item_kinds } from "./server-catalog.ts";

/** One thing that differs between what two versions of a server offer. */
export interface CatalogDifference {
	readonly kind: ItemKind;
	readonly name: string;
	readonly change: "added" | "removed" | "changed";
	/** What may break those who use it: sentences; empty where nothing does. */
	readonly breaking: readonly string[];
}

/** Differences that are listed; what is beyond them is only counted. */
export const differences_max = 500;

/** Everything that differs, removals and what breaks first, otherwise in order of the names. */
export function compareCatalogs(
	before: ServerCatalog,
	after: ServerCatalog,
): readonly CatalogDifference[] {
	const found = item_kinds.flatMap((kind) => compareItems(kind, before[kind], after[kind]));
	return found.toSorted((a, b) => rank(a) - rank(b) || compareText(a.name, b.name));
}

/** Whether any of the differences may break a client. */
export function isBreaking(differences: readonly CatalogDifference[]): boolean {
	return differences.some(({ breaking }) => breaking.length > 0);
}

/** A difference as a line for people: `tool "send" was removed`. */
export function describeDifference({ kind, name, change, breaking }: CatalogDifference): string {
	const what = `${words[kind]} "${name}" was ${change}`;
	return breaking.length === 0 || change === "removed" ? what : `${what}: ${breaking.join("; ")}`;
}

const words: Readonly<Record<ItemKind, string>> = {
	tools: "tool",
	resources: "resource",
	templates: "resource template",
	prompts: "prompt",
};

function rank({ change, breaking }: CatalogDifference): number {
	if (breaking.length > 0) return change === "removed" ? 0 : 1;
	return change === "changed" ? 2 : 3;
}

function compareText(a: string, b: string): number {
	return a < b ? -1 : a > b ? 1 : 0;
}

function compareItems(
	kind: ItemKind,
	before: readonly CatalogItem[],
	after: readonly CatalogItem[],
): CatalogDifference[] {
	const old_items = new Map(before.map((item) => [item.name, item]));
	const new_names = new Set(after.map((item) => item.name));
	const removed = before
		.filter(({ name }) => !new_names.has(name))
		.map(({ name }) => ({
			kind,
			name,
			change: "removed" as const,
			breaking: [`${words[kind]} "${name}" is gone`],
		}));
	const others = after.flatMap((item): CatalogDifference[] => {
		const old = old_items.get(item.name);
		if (old === undefined) return [{ kind, name: item.name, change: "added", breaking: [] }];
		if (old.bytes.equals(item.bytes)) return [];
		const breaking = breaksOf(kind, old, item).map(describeBreak);
		return [{ kind, name: item.name, change: "changed", breaking }];
	});
	return [...removed, ...others];
}

function breaksOf(kind: ItemKind, old: CatalogItem, item: CatalogItem): SchemaBreak[] {
	const [before, after] = [parse(old.bytes), parse(item.bytes)];
	switch (kind) {
		case "tools":
			return [
				...schemaBreaks(before["inputSchema"], after["inputSchema"], "input"),
				...schemaBreaks(before["outputSchema"], after["outputSchema"], "output"),
			];
		case "prompts":
			return argumentBreaks(before["arguments"], after["arguments"]);
		default:
			return [];
	}
}

/** The arguments of a prompt: a list of names, each required or not. */
function argumentBreaks(before: unknown, after: unknown): SchemaBreak[] {
	const required = (list: unknown) =>
		(Array.isArray(list) ? list : []).filter(
			(one: { name?: unknown; required?: unknown } | null) => one?.required === true,
		) as { name: string }[];
	const known = new Set(required(before).map(({ name }) => name));
	return required(after)
		.filter(({ name }) => !known.has(name))
		.map(({ name }) => ({ at: name, what: "is required now" }));
}

function describeBreak({ at, what }: SchemaBreak): string {
	return `\`${at}\` ${what}`;
}

function parse(bytes: Buffer): Record<string, unknown> {
	return JSON.parse(bytes.toString("utf8")) as Record<string, unknown>;
}
