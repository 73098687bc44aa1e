import { createHash } from "node:crypto";
import type { ListMethod } from "../protocol/methods.ts";
import type { Era } from "../protocol/revisions.ts";
import { readJsonText } from "../wire/object.ts";

/** The parts of a catalog. Templates are a list of their own, but change with the resources. */
export const item_kinds = ["tools", "resources", "templates", "prompts"] as const;

/** One of the four lists of a catalog. */
export type ItemKind = (typeof item_kinds)[number];

/** Which list each method asks for. */
export const kind_of_list: Readonly<Record<ListMethod, ItemKind>> = {
	"tools/list": "tools",
	"resources/list": "resources",
	"resources/templates/list": "templates",
	"prompts/list": "prompts",
};

/** Whether a server said in its handshake that it has such a list. */
export function offersKind({ capabilities }: Pick<CatalogParts, "capabilities">, kind: ItemKind) {
	const declared = readJsonText(capabilities) as Record<string, unknown>;
	const name = kind === "templates" ? "resources" : kind;
	return Object.hasOwn(declared, name) && declared[name] !== null;
}

/** What can be said to have changed: the protocol has no word for templates alone. */
export type ChangeKind = "tools" | "resources" | "prompts";

/** One thing a server offers, as the server wrote it. */
export interface CatalogItem {
	/** The name of a tool or prompt, the uri of a resource, the uriTemplate of a template. */
	readonly name: string;
	/** The item's raw JSON object. */
	readonly bytes: Buffer;
}

/** What is needed to make a catalog: everything that is not derived. */
export interface CatalogParts {
	readonly server: string;
	/** Of the configuration it was fetched with. */
	readonly fingerprint: string;
	readonly era: Era;
	readonly revision: string;
	/** Raw JSON objects, as the server wrote them. */
	readonly capabilities: string;
	readonly server_info: string;
	readonly instructions: string | undefined;
	/** In the server's own order; names are unique within a list. */
	readonly tools: readonly CatalogItem[];
	readonly resources: readonly CatalogItem[];
	readonly templates: readonly CatalogItem[];
	readonly prompts: readonly CatalogItem[];
	/** Lists the server named but could not give: what is here of them is older, or nothing. */
	readonly incomplete: readonly ListMethod[];
	/** Lists of which something was left out: they are not what the server would answer. */
	readonly inexact?: readonly ListMethod[];
	/** Wall-clock milliseconds since the epoch. */
	readonly fetched_at_ms: number;
}

/** Everything one server offers. Never changed: a newer one takes its place. */
export interface ServerCatalog extends CatalogParts {
	/** Over all content; equal hashes offer the same. */
	readonly hash: string;
	/** The same for each list. */
	readonly hashes: Readonly<Record<ItemKind, string>>;
}

/** Completes and freezes a catalog. */
export function makeCatalog(parts: CatalogParts): ServerCatalog {
	const hashes = {
		tools: hashItems(parts.tools),
		resources: hashItems(parts.resources),
		templates: hashItems(parts.templates),
		prompts: hashItems(parts.prompts),
	};
	const about = [
		parts.era,
		parts.revision,
		parts.capabilities,
		parts.server_info,
		parts.instructions ?? null,
		...item_kinds.map((kind) => hashes[kind]),
	];
	const hash = createHash("sha256").update(JSON.stringify(about)).digest("hex");
	const lists = {
		tools: ofTheirOwn(parts.tools),
		resources: ofTheirOwn(parts.resources),
		templates: ofTheirOwn(parts.templates),
		prompts: ofTheirOwn(parts.prompts),
	};
	return Object.freeze({ ...parts, ...lists, hash, hashes: Object.freeze(hashes) });
}

/**
 * The same items in memory that holds nothing else. A catalog stays for as long as its server: as
 * part of a page of a list, or of the 64 KiB that Node takes small buffers from, an item of a
 * hundred bytes would keep all of that.
 */
function ofTheirOwn(items: readonly CatalogItem[]): readonly CatalogItem[] {
	let length = 0;
	for (const { bytes } of items) length += bytes.length;
	if (items.every(({ bytes }) => bytes.buffer.byteLength === length)) return items;
	const memory = Buffer.allocUnsafeSlow(length);
	let end = 0;
	return items.map(({ name, bytes }) => {
		const start = end;
		end += bytes.copy(memory, start);
		return { name, bytes: memory.subarray(start, end) };
	});
}

/** Which lists differ between two catalogs of a server; one that is not there offers nothing. */
export function changedKinds(
	before: Pick<ServerCatalog, "hashes"> | undefined,
	after: Pick<ServerCatalog, "hashes"> | undefined,
): ChangeKind[] {
	const differs = (kind: ItemKind) =>
		(before?.hashes[kind] ?? no_items_hash) !== (after?.hashes[kind] ?? no_items_hash);
	const changed: ChangeKind[] = [];
	if (differs("tools")) changed.push("tools");
	if (differs("resources") || differs("templates")) changed.push("resources");
	if (differs("prompts")) changed.push("prompts");
	return changed;
}

/** Some servers list in another order each time; that alone is no change. */
function hashItems(items: readonly CatalogItem[]): string {
	const hash = createHash("sha256");
	for (const item of items.toSorted(byName)) {
		hash.update(`${item.bytes.length}:`).update(item.bytes);
	}
	return hash.digest("hex");
}

const no_items_hash = hashItems([]);

function byName(one: CatalogItem, other: CatalogItem): number {
	return one.name < other.name ? -1 : one.name > other.name ? 1 : 0;
}
