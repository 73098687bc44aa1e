import type { Context } from "hono";
import { fail, type Result, succeed } from "../lib/result.ts";
import { type AdminProblem, problemOf } from "./problem.ts";

/** Most items that one page of a list has. */
const page_max = 1_000;

/** What is asked of a list that can be read a page at a time. */
export const paging_query = {
	limit: `How many at most, 1 to ${page_max}; all of them when absent.`,
	cursor: "`next` of the page before.",
} as const;

/** One page of a list. */
export interface ListPage<Item> {
	readonly items: readonly Item[];
	/** The `cursor` of the page after it; undefined: it is the last. */
	readonly next: string | undefined;
}

/**
 * The page of a list that a request asks for: the items in the order of their places, after the one
 * that it has seen last. Whatever comes and goes meanwhile, no other item is missed or told twice.
 * @param placeOf where an item stands: a text of its own that stays
 */
export function pageOf<Item>(
	context: Context,
	items: readonly Item[],
	placeOf: (item: Item) => string,
): Result<ListPage<Item>, AdminProblem> {
	const { limit: given, cursor } = context.req.query();
	if (given === undefined && cursor === undefined) return succeed({ items, next: undefined });
	const limit = given === undefined ? page_max : Number(given);
	if (!Number.isInteger(limit) || limit < 1 || limit > page_max) {
		return fail(problemOf("invalid_request", `limit is a number from 1 to ${page_max}.`));
	}
	const after = cursor === undefined ? "" : Buffer.from(cursor, "base64url").toString();
	const placed = items
		.map((item) => ({ item, place: placeOf(item) }))
		.filter(({ place }) => place > after)
		.toSorted((a, b) => (a.place < b.place ? -1 : 1));
	const page = placed.slice(0, limit);
	const last = placed.length > limit ? page.at(-1) : undefined;
	return succeed({
		items: page.map(({ item }) => item),
		next: last && Buffer.from(last.place).toString("base64url"),
	});
}
