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
	let items = 0;
	let chars = 0;
	let depth = 0;
	let level: unknown[] = [value];
	while (level.length > 0) {
		depth += 1;
		items += level.length;
		const next: unknown[] = [];
		for (const one of level) {
			if (typeof one === "string") chars = Math.max(chars, one.length);
			if (typeof one !== "object" || one === null) continue;
			if (Array.isArray(one)) for (const item of one) next.push(item);
			else {
				for (const [name, member] of Object.entries(one)) {
					chars = Math.max(chars, name.length);
					next.push(member);
				}
			}
		}
		level = next;
	}
	return { items, chars, depth };
}

/** Whether nothing of it is larger than the bounds say. */
export function fits(size: Measure, bounds: Measure): boolean {
	return size.items <= bounds.items && size.chars <= bounds.chars && size.depth <= bounds.depth;
}
