/**
 * A parsed configuration file that still knows where everything stands. YAML and JSON are
 * both read into this tree, so that what follows does not care which one it was.
 */
export type Located = LocatedMap | LocatedList | LocatedScalar;

/** A map with text keys, each key once. */
export interface LocatedMap {
	readonly kind: "map";
	readonly start: number;
	readonly entries: readonly LocatedEntry[];
}

/** One member of a map. */
export interface LocatedEntry {
	readonly key: string;
	readonly key_start: number;
	readonly value: Located;
}

/** A list. */
export interface LocatedList {
	readonly kind: "list";
	readonly start: number;
	readonly items: readonly Located[];
}

/** Text, a number, true, false or null. */
export interface LocatedScalar {
	readonly kind: "scalar";
	readonly start: number;
	readonly value: string | number | boolean | null;
	/** The value as text, numbers exactly as written. */
	readonly text: string;
	/** Where `text` stands character by character in the file, unless quoting hides it. */
	readonly exact: number | undefined;
}

/** A piece of text with its place, on its way to being expanded. */
export interface Placed {
	readonly text: string;
	readonly start: number;
	readonly exact: number | undefined;
}

/** A name and a text, as in `env` and `headers`. */
export interface NamedText {
	readonly name: string;
	readonly name_start: number;
	readonly value: Placed;
}

/** Depth and size limits of a configuration file. */
export const tree_limits = { depth_max: 32, nodes_max: 100_000 } as const;

/** The member of a map, or undefined where there is none or the node is no map. */
export function member(node: Located | undefined, key: string): LocatedEntry | undefined {
	if (node?.kind !== "map") return undefined;
	return node.entries.find((entry) => entry.key === key);
}

/** The scalar member of a map as placed text. */
export function placedMember(node: Located | undefined, key: string): Placed | undefined {
	const value = member(node, key)?.value;
	return value?.kind === "scalar" && value.value !== null ? placed(value) : undefined;
}

/** The scalars of a list as placed texts; empty where there is no list. */
export function placedItems(node: Located | undefined): Placed[] {
	if (node?.kind !== "list") return [];
	return node.items.filter((item) => item.kind === "scalar").map(placed);
}

/** The members of `env` or `headers`, values as text exactly as written; nulls left out. */
export function namedTexts(node: Located | undefined): NamedText[] {
	if (node?.kind !== "map") return [];
	return node.entries.flatMap(({ key, key_start, value }) => {
		if (value.kind !== "scalar" || value.value === null) return [];
		return [{ name: key, name_start: key_start, value: placed(value) }];
	});
}

/** A scalar as placed text. */
export function placed(node: LocatedScalar): Placed {
	return { text: node.text, start: node.start, exact: node.exact };
}

/** The best offset for a problem at `index` within a placed text. */
export function offsetWithin(text: Placed, index: number): number {
	return text.exact === undefined ? text.start : text.exact + index;
}

/** The tree as ordinary values, for validation. */
export function plainValue(node: Located): unknown {
	if (node.kind === "scalar") return node.value;
	if (node.kind === "list") return node.items.map(plainValue);
	const plain: Record<string, unknown> = {};
	for (const entry of node.entries) plain[entry.key] = plainValue(entry.value);
	return plain;
}

/** The offset of what a path leads to: the value, or the deepest part of it that exists. */
export function offsetOf(root: Located, path: readonly PropertyKey[]): number {
	let node = root;
	let offset = root.start;
	for (const step of path) {
		if (node.kind === "map") {
			const found = member(node, String(step));
			if (found === undefined) return offset;
			node = found.value;
		} else if (node.kind === "list") {
			const found = node.items[Number(step)];
			if (found === undefined) return offset;
			node = found;
		} else return offset;
		offset = node.start;
	}
	return offset;
}

/** The node a path leads to, or undefined. */
export function nodeAt(root: Located, path: readonly PropertyKey[]): Located | undefined {
	let node: Located | undefined = root;
	for (const step of path) {
		if (node?.kind === "map") node = member(node, String(step))?.value;
		else if (node?.kind === "list") node = node.items[Number(step)];
		else return undefined;
	}
	return node;
}
