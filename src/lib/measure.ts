/** How large a value of JSON is, where it matters to who walks it. */
export interface Measure {
	/** Values in it, itself included. */
	readonly items: number;
	/** Characters of its longest text, names of members included. */
	readonly chars: number;
	/** Levels; 1 for a value that holds no other. */
	readonly depth: number;
}

/** Measures a value. Never recurses, so that no depth is too much. */
export function measure(value: unknown): Measure {
	if (typeof value === "string") return { items: 1, chars: value.length, depth: 1 };
	if (typeof value !== "object" || value === null) return { items: 1, chars: 0, depth: 1 };
	let items = 1;
	let chars = 0;
	let depth = 0;
	let level: object[] = [value];
	while (level.length > 0) {
		depth += 1;
		const before = items;
		const next: object[] = [];
		for (const one of level) {
			// Of a list the names are its indexes, which are no characters of it.
			const is_list = Array.isArray(one);
			const members: readonly unknown[] = is_list ? one : Object.values(one);
			items += members.length;
			for (const member of members) {
				if (typeof member === "string") chars = Math.max(chars, member.length);
				else if (typeof member === "object" && member !== null) next.push(member);
			}
			if (!is_list) for (const name of Object.keys(one)) chars = Math.max(chars, name.length);
		}
		// What holds no other is a level too, also where no value of it is looked into.
		if (next.length === 0 && items > before) depth += 1;
		level = next;
	}
	return { items, chars, depth };
}

/** Containers that are counted in a text; with more, its depth is not known. */
const containers_max = 128;

/**
 * No less than what the value of a JSON text measures, as far as that can be told without reading
 * the text: many times faster than to walk the value, and enough for all that is short and flat.
 */
export function measureAtMost(json: string): Measure {
	const containers = timesIn(json, "{") + timesIn(json, "[");
	// A value takes a character at least; what holds no other is a level too.
	return { items: json.length, chars: json.length, depth: containers + 1 };
}

function timesIn(text: string, part: string): number {
	let times = 0;
	for (let at = text.indexOf(part); at !== -1; at = text.indexOf(part, at + 1)) {
		times += 1;
		if (times > containers_max) return Number.POSITIVE_INFINITY;
	}
	return times;
}

/** Whether nothing of it is larger than the bounds say. */
export function fits(size: Measure, bounds: Measure): boolean {
	return size.items <= bounds.items && size.chars <= bounds.chars && size.depth <= bounds.depth;
}
