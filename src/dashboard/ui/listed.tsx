import type { JSX } from "preact";
import { useMemo, useState } from "preact/hooks";
import { counted } from "../lib/format.ts";
import { Button, Field } from "./parts.tsx";

/** A list that is looked through on the page: what was asked for, and a page of what fits. */
export interface Listed<Item> {
	readonly wanted: string;
	readonly shown: readonly Item[];
	/** How many fit, and how many there are. */
	readonly fitting: number;
	readonly all: number;
	find(text: string): void;
	more(): void;
}

/** As many stand on the page at first, and so many more come with each asking. */
const page_size = 50;

/** From how many on a list can be searched: fewer are seen at a glance. */
const searched_from = 2;

/**
 * Looks through a list that is here already.
 * @param wordsOf what of an item is looked through; the same function each time
 */
export function useListed<Item>(
	items: readonly Item[],
	wordsOf: (item: Item) => string,
): Listed<Item> {
	const [wanted, setWanted] = useState("");
	const [pages, setPages] = useState(1);
	const fitting = useMemo(() => {
		const words = wanted.toLowerCase().split(/\s+/).filter(Boolean);
		if (words.length === 0) return items;
		return items.filter((item) => {
			const text = wordsOf(item).toLowerCase();
			return words.every((word) => text.includes(word));
		});
	}, [items, wanted, wordsOf]);
	return {
		wanted,
		shown: fitting.slice(0, pages * page_size),
		fitting: fitting.length,
		all: items.length,
		find(text) {
			setWanted(text);
			setPages(1);
		},
		more: () => setPages(pages + 1),
	};
}

/** The search of a list, and how many there are. */
export function ListTools<Item>(props: {
	list: Listed<Item>;
	/** What they are: several of them. */
	what: string;
	label: string;
}): JSX.Element | null {
	const { list, what, label } = props;
	if (list.all < searched_from) return null;
	return (
		<div class="filters">
			<Field
				label={label}
				control={(attributes) => (
					<input
						{...attributes}
						type="search"
						value={list.wanted}
						onInput={(event) => list.find(event.currentTarget.value)}
					/>
				)}
			/>
			<p class="muted small grow" role="status">
				{list.fitting === list.all
					? `${list.all} ${what}`
					: list.fitting === 0
						? `None of ${list.all} ${what} is like that.`
						: `${list.fitting} of ${list.all} ${what}`}
			</p>
		</div>
	);
}

/** The rest of a long list. */
export function More<Item>({ list }: { list: Listed<Item> }): JSX.Element | null {
	const left = list.fitting - list.shown.length;
	if (left === 0) return null;
	return (
		<div>
			<Button onClick={() => list.more()}>{`Show more, ${counted(left, "is", "are")} left`}</Button>
		</div>
	);
}
