import { safePattern } from "../../lib/safe-pattern.ts";
import { visits_max } from "./schema-bounds.ts";

/** The library has used up the visits that one check may take. */
export class TooManyVisits extends Error {}

/** Counts how often parts of a schema are applied while arguments are checked. */
export class Visits {
	#left = visits_max;

	reset(): void {
		this.#left = visits_max;
	}

	/** @throws TooManyVisits when there were too many */
	count(): void {
		this.#left -= 1;
		if (this.#left < 0) throw new TooManyVisits();
	}
}

/** A schema as the library is given it. */
export interface Prepared {
	readonly schema: object;
	/** The longest text for which every pattern in it is quick. */
	readonly chars_max: number;
	/** Whether items of lists are to be compared with each other. */
	readonly compares_items: boolean;
}

/** What is left out of a copy for arguments that would make it slow. */
export interface Without {
	readonly patterns: boolean;
	readonly unique_items: boolean;
}

/** Keywords under which any name stands, not keywords. */
const maps: ReadonlySet<string> = new Set([
	"properties",
	"patternProperties",
	"$defs",
	"definitions",
	"dependentSchemas",
	"dependencies",
]);
/** Keywords under which there are plain values. */
const values: ReadonlySet<string> = new Set(["const", "enum", "default", "examples"]);

/**
 * Copies a schema for the library. Formats are notes in today's dialects, so they are left out;
 * so are patterns that could take too long, which are left to the server. Each part counts its
 * visits: the library reads every keyword of a part once when it applies it.
 */
export function prepareSchema(schema: object, visits: Visits, without: Without): Prepared {
	const found = { chars_max: Number.POSITIVE_INFINITY, compares_items: false };
	const copy = copySchema(schema, false, visits, without, found);
	return { schema: copy as object, ...found };
}

interface Found {
	chars_max: number;
	compares_items: boolean;
}

function copySchema(
	node: unknown,
	is_map: boolean,
	visits: Visits,
	without: Without,
	found: Found,
): unknown {
	if (typeof node !== "object" || node === null) return node;
	if (Array.isArray(node)) {
		return node.map((item) => copySchema(item, false, visits, without, found));
	}
	// No prototype, so that no keyword can be found that nobody wrote.
	const copy = Object.create(null) as Record<string, unknown>;
	for (const [key, value] of Object.entries(node)) {
		if (!is_map && !keepsKeyword(key, value, without, found)) continue;
		if (!is_map && key === "patternProperties") {
			copy[key] = copySchema(safeNames(value, without, found), true, visits, without, found);
		} else if (!is_map && values.has(key)) copy[key] = value;
		else copy[key] = copySchema(value, !is_map && maps.has(key), visits, without, found);
	}
	if (!is_map) countVisits(copy, visits);
	return copy;
}

function keepsKeyword(key: string, value: unknown, without: Without, found: Found): boolean {
	switch (key) {
		case "format":
		case "__absolute_uri__":
		case "__absolute_ref__":
		case "__absolute_recursive_ref__":
			return false;
		case "uniqueItems":
			if (value === true) found.compares_items = true;
			return !without.unique_items;
		case "pattern":
			return keepsPattern(value, without, found);
		default:
			return true;
	}
}

function keepsPattern(value: unknown, without: Without, found: Found): boolean {
	const safe = typeof value === "string" ? safePattern(value) : undefined;
	if (safe === undefined) return false;
	found.chars_max = Math.min(found.chars_max, safe.text_chars_max);
	return !without.patterns;
}

/** Without patterns nobody can tell which members they are about, so all are let pass. */
function safeNames(value: unknown, without: Without, found: Found): unknown {
	if (typeof value !== "object" || value === null) return {};
	const names = Object.entries(value);
	const safe = names.every(([pattern]) => keepsPattern(pattern, without, found));
	return safe ? value : { "": true };
}

function countVisits(part: Record<string, unknown>, visits: Visits): void {
	const written = part["$recursiveAnchor"];
	Object.defineProperty(part, "$recursiveAnchor", {
		enumerable: false,
		get() {
			visits.count();
			return written;
		},
	});
}
