import { assert } from "../lib/assert.ts";

/** Where one of the patterns stands: from `start` up to, and without, `end`. */
export type OnMatch = (start: number, end: number, pattern: number) => void;

/** Bytes of a pattern that the search looks at; every pattern has at least as many. */
export type WindowBytes = 4 | 8;

/** Bits of the table's index at least and at most: 4 KiB to 4 MiB of one byte each. */
const table_bits = [12, 22] as const;
/** Entries of the table for each block in it, so that most blocks of a text are in none. */
const sparseness = 16;
/** An odd number near 2^32 divided by the golden ratio, which spreads what it multiplies. */
const spread = 0x9e3779b1;

/**
 * Finds any of many byte strings in one pass, after Wu and Manber, "A fast algorithm for
 * multi-pattern searching" (1994). Of each pattern one window of a few bytes is looked for. The
 * last block of the text's window says how far the window may move, which is most often past all
 * of that block; only where it may not move is the text compared with patterns. Aho and Corasick's
 * automaton reads every byte, and for a thousand secrets in all their forms its table would take
 * half a gigabyte.
 */
export class BlockMatcher {
	readonly #patterns: readonly Uint8Array[];
	readonly #window: number;
	readonly #shift_bits: number;
	readonly #shifts: Uint8Array;
	/** Where in its pattern each pattern's window begins. */
	readonly #anchors: Int32Array;
	/** Patterns by the hash of their window. */
	readonly #buckets = new Map<number, number[]>();

	constructor(patterns: readonly Uint8Array[], window_bytes: WindowBytes) {
		this.#patterns = patterns;
		this.#window = window_bytes;
		const moves = this.#moves;
		const bits = Math.ceil(Math.log2(Math.max(1, patterns.length * moves * sparseness)));
		// Blocks of two bytes are their own index.
		const table = window_bytes === 4 ? 16 : Math.min(Math.max(bits, table_bits[0]), table_bits[1]);
		this.#shift_bits = 32 - table;
		this.#shifts = new Uint8Array(2 ** table).fill(moves);
		this.#anchors = chooseAnchors(patterns, this.#window);
		patterns.forEach((pattern, index) => this.#enter(pattern, index));
	}

	/** Calls `onMatch` for every place in the first `length` bytes at which a pattern stands. */
	find(bytes: Uint8Array, length: number, onMatch: OnMatch): void {
		if (this.#patterns.length === 0) return;
		if (this.#window === 8) this.#findByFour(bytes, length, onMatch);
		else this.#findByTwo(bytes, length, onMatch);
	}

	/** How far a window moves whose last block is in no pattern. */
	get #moves(): number {
		return this.#window / 2 + 1;
	}

	#findByFour(bytes: Uint8Array, length: number, onMatch: OnMatch): void {
		const shifts = this.#shifts;
		const shift_bits = this.#shift_bits;
		const last = length - 8;
		let at = 0;
		while (at <= last) {
			let word = (bytes[at + 4] as number) | ((bytes[at + 5] as number) << 8);
			word |= ((bytes[at + 6] as number) << 16) | ((bytes[at + 7] as number) << 24);
			const shift = shifts[Math.imul(word, spread) >>> shift_bits] as number;
			if (shift === 0) this.#compare(bytes, length, at, onMatch);
			at += shift === 0 ? 1 : shift;
		}
	}

	#findByTwo(bytes: Uint8Array, length: number, onMatch: OnMatch): void {
		const shifts = this.#shifts;
		const last = length - 4;
		let at = 0;
		while (at <= last) {
			const block = (bytes[at + 2] as number) | ((bytes[at + 3] as number) << 8);
			const shift = shifts[block] as number;
			if (shift === 0) this.#compare(bytes, length, at, onMatch);
			at += shift === 0 ? 1 : shift;
		}
	}

	#enter(pattern: Uint8Array, index: number): void {
		const anchor = this.#anchors[index] ?? 0;
		for (let move = 0; move < this.#moves; move += 1) {
			const block = this.#blockIndex(pattern, anchor + move);
			const shift = this.#moves - 1 - move;
			if ((this.#shifts[block] ?? 0) > shift) this.#shifts[block] = shift;
		}
		const key = windowHash(pattern, anchor, this.#window);
		const bucket = this.#buckets.get(key);
		if (bucket === undefined) this.#buckets.set(key, [index]);
		else bucket.push(index);
	}

	#blockIndex(bytes: Uint8Array, at: number): number {
		if (this.#window === 8) return fourBytes(bytes, at) >>> this.#shift_bits;
		return (bytes[at] ?? 0) | ((bytes[at + 1] ?? 0) << 8);
	}

	#compare(bytes: Uint8Array, length: number, at: number, onMatch: OnMatch): void {
		const bucket = this.#buckets.get(windowHash(bytes, at, this.#window));
		if (bucket === undefined) return;
		for (const index of bucket) {
			const pattern = this.#patterns[index] as Uint8Array;
			const start = at - (this.#anchors[index] ?? 0);
			const end = start + pattern.length;
			if (start >= 0 && end <= length && isAt(bytes, start, pattern)) onMatch(start, end, index);
		}
	}
}

/**
 * Of each pattern the window at its end, its middle or its beginning, whichever the fewest patterns
 * have: tokens of one service begin alike, and keys in PEM form end alike.
 */
function chooseAnchors(patterns: readonly Uint8Array[], window: number): Int32Array {
	const counts = new Map<number, number>();
	const choices = patterns.map((pattern) => {
		const spare = pattern.length - window;
		assert(spare >= 0, "a pattern has at least as many bytes as its window");
		return [...new Set([spare, spare >> 1, 0])].map((anchor) => {
			const hash = windowHash(pattern, anchor, window);
			counts.set(hash, (counts.get(hash) ?? 0) + 1);
			return { anchor, hash };
		});
	});
	return Int32Array.from(choices, (offered) => {
		const rarity = ({ hash }: { hash: number }) => counts.get(hash) ?? 0;
		return offered.reduce((best, one) => (rarity(one) < rarity(best) ? one : best)).anchor;
	});
}

/** A hash of four bytes whose upper bits depend on all of them. */
function fourBytes(bytes: Uint8Array, at: number): number {
	let word = (bytes[at] ?? 0) | ((bytes[at + 1] ?? 0) << 8);
	word |= ((bytes[at + 2] ?? 0) << 16) | ((bytes[at + 3] ?? 0) << 24);
	return Math.imul(word, spread);
}

function windowHash(bytes: Uint8Array, at: number, window: number): number {
	const first = fourBytes(bytes, at);
	return window === 4 ? first : Math.imul(first ^ (first >>> 15), 31) ^ fourBytes(bytes, at + 4);
}

function isAt(bytes: Uint8Array, start: number, pattern: Uint8Array): boolean {
	for (let index = 0; index < pattern.length; index += 1) {
		if (bytes[start + index] !== pattern[index]) return false;
	}
	return true;
}
