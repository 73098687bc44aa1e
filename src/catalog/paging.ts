import { createHash } from "node:crypto";
import { fail, type Result, succeed } from "../lib/result.ts";
import type { CatalogItem } from "./server-catalog.ts";

/** Items and bytes of one page. A page always has at least one item. */
export const page_items_max = 500;
export const page_bytes_max = 1024 * 1024;

/** One page of a list. */
export interface Page {
	readonly items: readonly CatalogItem[];
	/** Opaque; undefined on the last page. */
	readonly next_cursor: string | undefined;
}

/**
 * The page of a list that a cursor points at, or the first one. A cursor says after which name
 * to go on and in which list it was made, so a list that changed in between loses and repeats
 * nothing that is still there.
 */
export function pageOf(
	list: readonly CatalogItem[],
	cursor: string | undefined,
): Result<Page, "bad_cursor"> {
	const start = cursor === undefined ? 0 : startAfter(list, cursor);
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
		next_cursor: more ? encodeCursor(last.name) : undefined,
	});
}

const check_chars = 8;

function encodeCursor(name: string): string {
	return Buffer.from(checkOf(name) + name).toString("base64url");
}

function checkOf(name: string): string {
	return createHash("sha256").update(`cursor:${name}`).digest("hex").slice(0, check_chars);
}

/** Position behind the name a cursor holds; undefined when we never made it. */
function startAfter(list: readonly CatalogItem[], cursor: string): number | undefined {
	const text = Buffer.from(cursor, "base64url").toString("utf8");
	const name = text.slice(check_chars);
	if (text.slice(0, check_chars) !== checkOf(name)) return undefined;
	let low = 0;
	let high = list.length;
	while (low < high) {
		const middle = (low + high) >> 1;
		if ((list[middle] as CatalogItem).name <= name) low = middle + 1;
		else high = middle;
	}
	return low;
}
