import { useEffect, useRef, useState } from "preact/hooks";
import { type Action, type Query, useAction } from "./query.ts";

/** A part of a long list, as the gateway gives it. */
export interface Page {
	/** The `cursor` of the page behind; absent on the last. */
	readonly next?: string | undefined;
}

/** The pages of a list that are shown. */
export interface Pages<Given extends Page> {
	/** The first and those behind it; empty as long as nothing is read. */
	readonly pages: readonly Given[];
	/** Shows one page more; undefined where all are shown. */
	readonly more: Action<void> | undefined;
	/** Why the last wish for more was not met. */
	readonly problem: Action<void>["problem"];
}

/**
 * As many pages of a list as somebody asked for. Whenever the first is read anew, so are those
 * behind it: rows move from page to page meanwhile, and some would be shown twice, others never.
 * @param read the page at a cursor
 */
export function usePages<Given extends Page>(
	first: Query<Given>,
	read: (cursor: string) => Promise<Given>,
): Pages<Given> {
	const { value } = first;
	const [later, setLater] = useState<readonly Given[]>([]);
	const wanted = useRef(0);
	const turn = useRef(0);
	const refresh = async (from: Given) => {
		turn.current += 1;
		const mine = turn.current;
		const pages = await readOn(from, wanted.current, read);
		if (mine === turn.current) setLater(pages);
	};
	useEffect(() => {
		// That the gateway does not answer is told where the first page is.
		if (value !== undefined && wanted.current > 0) refresh(value).catch(() => undefined);
		return () => {
			turn.current += 1;
		};
	}, [value]);
	const more = useAction(async () => {
		if (value === undefined) return;
		wanted.current = later.length + 1;
		await refresh(value);
	});
	const pages = value === undefined ? [] : [value, ...later];
	const has_more = pages.at(-1)?.next !== undefined;
	return { pages, more: has_more ? more : undefined, problem: more.problem };
}

/** Up to so many pages behind one, one after the other. */
export async function readOn<Given extends Page>(
	from: Given,
	pages_max: number,
	read: (cursor: string) => Promise<Given>,
): Promise<readonly Given[]> {
	const pages: Given[] = [];
	for (let at = from; at.next !== undefined && pages.length < pages_max; ) {
		at = await read(at.next);
		pages.push(at);
	}
	return pages;
}

/** Each row once, where it came first: one that moved meanwhile stands on two pages. */
export function eachOnce<Row>(rows: readonly Row[], keyOf: (row: Row) => string): readonly Row[] {
	const seen = new Map<string, Row>();
	for (const row of rows) if (!seen.has(keyOf(row))) seen.set(keyOf(row), row);
	return [...seen.values()];
}
