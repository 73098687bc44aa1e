import type { ToolFilter } from "../config/plan.ts";
import { assert } from "../lib/assert.ts";
import { passesGlobs } from "../lib/glob.ts";
import { exposedName, exposedUri } from "../protocol/names.ts";
import type { Edit, Span } from "../wire/message.ts";
import { indexObject, memberSpan, readString } from "../wire/object.ts";
import { applyEdits, objectEdits, replaceSpan } from "../wire/splice.ts";
import type { CatalogItem, ItemKind, ServerCatalog } from "./server-catalog.ts";

/** Where an exposed name leads. */
export interface ExposedItem extends CatalogItem {
	readonly server: string;
	/** The server's own name for it. */
	readonly original: string;
}

/** One merged list, in a fixed order, with its names as clients see them. */
export interface MergedList {
	readonly items: readonly ExposedItem[];
	/** Names that two things claim; neither is offered. */
	readonly collisions: readonly string[];
	find(exposed: string): ExposedItem | undefined;
}

/** One server's part of a merged list. */
export interface MergePart {
	readonly catalog: ServerCatalog;
	/** Over the server's own tool names. */
	readonly tools: ToolFilter;
}

/**
 * Merges one list of several servers: each item under its exposed name, sorted, so that the
 * same servers always give the same list. A name that two servers claim is refused rather than
 * given to either: a client could not know whom it calls.
 */
export function mergeLists(
	kind: ItemKind,
	parts: readonly MergePart[],
	filter: ToolFilter,
): MergedList {
	const by_name = new Map<string, ExposedItem>();
	const collisions = new Set<string>();
	for (const { catalog, tools } of parts) {
		for (const item of exposedItems(kind, catalog)) {
			const offered =
				kind !== "tools" || (passesGlobs(tools, item.original) && passesGlobs(filter, item.name));
			if (!offered) continue;
			if (by_name.has(item.name)) collisions.add(item.name);
			else by_name.set(item.name, item);
		}
	}
	for (const name of collisions) by_name.delete(name);
	const items = [...by_name.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
	return { items, collisions: [...collisions].sort(), find: (name) => by_name.get(name) };
}

/** Renaming is done once per catalog: lists are asked for often and change seldom. */
const exposed = new WeakMap<ServerCatalog, Map<ItemKind, readonly ExposedItem[]>>();

function exposedItems(kind: ItemKind, catalog: ServerCatalog): readonly ExposedItem[] {
	let lists = exposed.get(catalog);
	if (lists === undefined) {
		lists = new Map();
		exposed.set(catalog, lists);
	}
	let items = lists.get(kind);
	if (items === undefined) {
		items = catalog[kind].map((item) => expose(kind, catalog.server, item));
		lists.set(kind, items);
	}
	return items;
}

function expose(kind: ItemKind, server: string, item: CatalogItem): ExposedItem {
	const is_address = kind === "resources" || kind === "templates";
	const name = is_address ? exposedUri(server, item.name) : exposedName(server, item.name);
	const member = kind === "resources" ? "uri" : kind === "templates" ? "uriTemplate" : "name";
	const { bytes } = item;
	const object = indexObject(bytes, { start: 0, end: bytes.length });
	assert(object !== undefined, "an item of a catalog is an object");
	// A member that is there twice is left once: no reader may find the other name.
	const edits = objectEdits(bytes, object, { set: { [member]: JSON.stringify(name) } });
	const meta = memberSpan(object, "_meta");
	if (meta !== undefined && !is_address) edits.push(...pageEdits(server, bytes, meta));
	return { name, original: item.name, server, bytes: applyEdits(bytes, edits) };
}

/** A tool's page (MCP Apps) is a resource too, and is named as one: `_meta.ui.resourceUri`. */
function pageEdits(server: string, bytes: Buffer, meta: Span): Edit[] {
	const object = indexObject(bytes, meta);
	const ui = memberSpan(object, "ui");
	const nested = ui === undefined ? undefined : memberSpan(indexObject(bytes, ui), "resourceUri");
	// The flat form is from before the extension was final; servers still send it.
	const flat = memberSpan(object, "ui/resourceUri");
	return [nested, flat].flatMap((span) => {
		const uri = readString(bytes, span);
		if (span === undefined || uri === undefined) return [];
		return [replaceSpan(span, JSON.stringify(exposedUri(server, uri)))];
	});
}
