import { createHash } from "node:crypto";
import { fail, type Result, succeed } from "../lib/result.ts";
import type { CatalogItem, ItemKind } from "./server-catalog.ts";

/** Items and bytes of one page. A page always has at least one item. */
export const page_items_max = 1_000;
export const page_bytes_max = 1024 * 1024;

/** One page of a list. */
export interface Page {
	readonly items: readonly CatalogItem[];
	/** Opaque; undefined on the last page. */
	readonly next_cursor: string | undefined;
}

/**
 * The page that a cursor points at, or the first one, of a list sorted by name. A cursor holds
 * the name after which to go on, not a position: when the list changes in between, nothing
 * that is there before and after is left out or given twice. It belongs to one kind of list: a
 * cursor of another kind is refused.
 */
export function pageOf(
	kind: ItemKind,
	list: readonly CatalogItem[],
	cursor: string | undefined,
): Result<Page, "bad_cursor"> {
	const start = cursor === undefined ? 0 : startAfter(kind, list, cursor);
	if (start === undefined) return fail("bad_cursor");
	let end = start;
	let size_bytes = 0;
	while (end < list.length && end - start < page_items_max) {
		const item = list[end] as CatalogItem;
		size_bytes += item.bytes.length;
		if (end > start && size_bytes > page_bytes_max) break;
		end += 1;
	}
	const last = list[end - 1];
	const more = end < list.length && last !== undefined;
	return succeed({
		items: list.slice(start, end),
		next_cursor: more ? encodeCursor(kind, last.name) : undefined,
	});
}

const check_chars = 8;

/** As JSON, which has a form for every string: a name need not be valid Unicode. */
function encodeCursor(kind: ItemKind, name: string): string {
	const text = JSON.stringify(name);
	return Buffer.from(checkOf(kind, text) + text).toString("base64url");
}

/** Tells a cursor of ours from any other text; it guards nothing, so it needs no secret. */
function checkOf(kind: ItemKind, text: string): string {
	return createHash("sha256").update(`cursor:${kind}:${text}`).digest("hex").slice(0, check_chars);
}

/** Position behind the name a cursor holds; undefined when we never made it for this kind. */
function startAfter(
	kind: ItemKind,
	list: readonly CatalogItem[],
	cursor: string,
): number | undefined {
	const decoded = Buffer.from(cursor, "base64url").toString("utf8");
	const text = decoded.slice(check_chars);
	if (decoded.slice(0, check_chars) !== checkOf(kind, text)) return undefined;
	const name = JSON.parse(text) as string;
	let low = 0;
	let high = list.length;
	while (low < high) {
		const middle = (low + high) >> 1;
		if ((list[middle] as CatalogItem).name <= name) low = middle + 1;
		else high = middle;
	}
	return low;
}
