import { BlockMatcher } from "./block-matcher.ts";
import type { Found, Range } from "./redaction-stream.ts";
import { type SortedForm, SortedForms } from "./sorted-forms.ts";
import { token_patterns } from "./token-patterns.ts";

const keywords = token_patterns.flatMap(({ keywords }, index) =>
	keywords.map((keyword) => ({ bytes: Buffer.from(keyword), pattern: index })),
);

/** A form of fewer bytes is looked for along with the beginnings of tokens. */
const long_bytes_min = 8;

const nothing_found: Found = Object.freeze({ ranges: [], patterns: new Set<number>() });

/** A form that is looked for. */
export type KnownForm = SortedForm;

/** Looks for a set of forms, which changes all the time, and the beginnings of tokens with them. */
export class FormFinder {
	readonly #long = new BlockMatcher([], long_bytes_min);
	readonly #short = new BlockMatcher(
		keywords.map(({ bytes }) => bytes),
		4,
	);
	readonly #forms = new SortedForms();
	/** Of all that were ever looked for: it only says where nothing can be. */
	#longest = 0;
	readonly #first_bytes = new Uint8Array(256);
	/** What a search has found so far. */
	#found: { readonly ranges: Range[]; readonly patterns: Set<number> } | undefined;

	/** Looks for a form from now on. */
	add(bytes: Buffer): KnownForm {
		const form = this.#forms.add(bytes);
		if (form.uses > 1) return form;
		form.index = this.#matcherOf(bytes).add(bytes);
		this.#longest = Math.max(this.#longest, bytes.length);
		this.#first_bytes[bytes[0] ?? 0] = 1;
		return form;
	}

	/** Looks for a form no longer, unless it was added more often than this is said of it. */
	remove(form: KnownForm): void {
		if (this.#forms.remove(form)) this.#matcherOf(form.bytes).remove(form.index);
	}

	/** Where forms stand in the first `length` bytes, and which token patterns may. */
	find(bytes: Uint8Array, length: number): Found {
		this.#long.find(bytes, length, this.#onValue);
		this.#short.find(bytes, length, this.#onShort);
		const found = this.#found;
		// Nearly always nothing is there: nothing is made for it.
		if (found === undefined) return nothing_found;
		this.#found = undefined;
		return { ranges: merged(found.ranges), patterns: found.patterns };
	}

	/** How many of the last bytes may be the beginning of a form that goes on elsewhere. */
	heldBytes(bytes: Buffer): number {
		for (let held = Math.min(this.#longest - 1, bytes.length); held > 0; held -= 1) {
			const start = bytes.length - held;
			const may_begin = this.#first_bytes[bytes[start] ?? 0] === 1;
			if (may_begin && this.#forms.begins(bytes, start)) return held;
		}
		return 0;
	}

	readonly #onValue = (start: number, end: number): void => {
		this.#found ??= { ranges: [], patterns: new Set() };
		this.#found.ranges.push([start, end]);
	};

	/** The keywords came first, and are never removed. */
	readonly #onShort = (start: number, end: number, index: number): void => {
		const keyword = keywords[index];
		if (keyword === undefined) return this.#onValue(start, end);
		this.#found ??= { ranges: [], patterns: new Set() };
		this.#found.patterns.add(keyword.pattern);
	};

	#matcherOf(bytes: Buffer): BlockMatcher {
		return bytes.length >= long_bytes_min ? this.#long : this.#short;
	}
}

function merged(found: Range[]): Range[] {
	if (found.length < 2) return found;
	found.sort(([a], [b]) => a - b);
	const ranges: Range[] = [];
	for (const [start, end] of found) {
		const last = ranges.at(-1);
		if (last !== undefined && start <= last[1]) last[1] = Math.max(last[1], end);
		else ranges.push([start, end]);
	}
	return ranges;
}
