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
/** The table is made anew when as many patterns were removed from it as are left, and this many. */
const removed_min = 1_000;

/**
 * Finds any of many byte strings in one pass, after Wu and Manber, "A fast algorithm for
 * multi-pattern searching" (1994). Of each pattern one window of a few bytes is looked for. The
 * last block of the text's window says how far the window may move, which is most often past all
 * of that block; only where it may not move is the text compared with patterns. Aho and Corasick's
 * automaton reads every byte, and for a thousand secrets in all their forms its table would take
 * half a gigabyte.
 *
 * Patterns come and go one by one, and cost what one costs however many there are: tokens are
 * renewed all the time. What is removed leaves its moves in the table, which makes windows move
 * less far than they could and nothing else, until the table is made anew.
 */
export class BlockMatcher {
	readonly #patterns: (Uint8Array | undefined)[] = [];
	readonly #window: number;
	readonly #moves: number;
	#shift_bits = 0;
	#shifts = new Uint8Array(0);
	/** Where in its pattern each pattern's window begins. */
	readonly #anchors: number[] = [];
	/** Patterns by the hash of their window: most often it is one. */
	readonly #buckets = new Map<number, number | number[]>();
	/** Numbers of patterns that were removed, to be given again. */
	readonly #free: number[] = [];
	/** Patterns that were removed since the table was made. */
	#removed = 0;

	constructor(patterns: readonly Uint8Array[], window_bytes: WindowBytes) {
		this.#window = window_bytes;
		// How far a window moves whose last block is in no pattern.
		this.#moves = window_bytes / 2 + 1;
		this.#makeTable();
		for (const pattern of patterns) this.add(pattern);
	}

	/** Looks for a pattern from now on; its number, which is that of one that was removed or new. */
	add(pattern: Uint8Array): number {
		assert(pattern.length >= this.#window, "a pattern has at least as many bytes as its window");
		const index = this.#free.pop() ?? this.#patterns.length;
		this.#patterns[index] = pattern;
		const { anchor, hash } = this.#chooseAnchor(pattern);
		this.#anchors[index] = anchor;
		const bucket = this.#buckets.get(hash);
		if (bucket === undefined) this.#buckets.set(hash, index);
		else if (typeof bucket === "number") this.#buckets.set(hash, [bucket, index]);
		else bucket.push(index);
		if (this.#bitsWanted() > 32 - this.#shift_bits) this.#makeTable();
		else this.#enter(pattern, anchor);
		return index;
	}

	/** Looks no longer for the pattern of this number. */
	remove(index: number): void {
		const pattern = this.#patterns[index];
		if (pattern === undefined) return;
		const hash = windowHash(pattern, this.#anchors[index] ?? 0, this.#window);
		const bucket = this.#buckets.get(hash);
		const rest = Array.isArray(bucket) ? bucket.filter((one) => one !== index) : [];
		const [only] = rest;
		if (only === undefined) this.#buckets.delete(hash);
		else this.#buckets.set(hash, rest.length === 1 ? only : rest);
		this.#patterns[index] = undefined;
		this.#free.push(index);
		this.#removed += 1;
		if (this.#removed >= Math.max(removed_min, this.#count)) this.#makeTable();
	}

	/** Calls `onMatch` for every place in the first `length` bytes at which a pattern stands. */
	find(bytes: Uint8Array, length: number, onMatch: OnMatch): void {
		if (this.#count === 0) return;
		if (this.#window === 8) this.#findByFour(bytes, length, onMatch);
		else this.#findByTwo(bytes, length, onMatch);
	}

	get #count(): number {
		return this.#patterns.length - this.#free.length;
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

	/** Bits of the index that a table for all patterns there are should have. */
	#bitsWanted(): number {
		// Blocks of two bytes are their own index.
		if (this.#window === 4) return 16;
		const bits = Math.ceil(Math.log2(Math.max(1, this.#count * this.#moves * sparseness)));
		return Math.min(Math.max(bits, table_bits[0]), table_bits[1]);
	}

	#makeTable(): void {
		const bits = this.#bitsWanted();
		this.#shift_bits = 32 - bits;
		this.#shifts = new Uint8Array(2 ** bits).fill(this.#moves);
		this.#removed = 0;
		this.#patterns.forEach((pattern, index) => {
			if (pattern !== undefined) this.#enter(pattern, this.#anchors[index] ?? 0);
		});
	}

	#enter(pattern: Uint8Array, anchor: number): void {
		for (let move = 0; move < this.#moves; move += 1) {
			const block = this.#blockIndex(pattern, anchor + move);
			const shift = this.#moves - 1 - move;
			if ((this.#shifts[block] ?? 0) > shift) this.#shifts[block] = shift;
		}
	}

	/**
	 * The window at the pattern's end, its middle or its beginning, whichever the fewest patterns
	 * have: tokens of one service begin alike, and keys in PEM form end alike.
	 */
	#chooseAnchor(pattern: Uint8Array): { readonly anchor: number; readonly hash: number } {
		const spare = pattern.length - this.#window;
		let chosen = { anchor: spare, hash: windowHash(pattern, spare, this.#window) };
		let fewest = this.#bucketSize(chosen.hash);
		for (const anchor of [spare >> 1, 0]) {
			if (fewest === 0) break;
			const hash = windowHash(pattern, anchor, this.#window);
			const size = this.#bucketSize(hash);
			if (size >= fewest) continue;
			chosen = { anchor, hash };
			fewest = size;
		}
		return chosen;
	}

	#bucketSize(hash: number): number {
		const bucket = this.#buckets.get(hash);
		return bucket === undefined ? 0 : typeof bucket === "number" ? 1 : bucket.length;
	}

	#blockIndex(bytes: Uint8Array, at: number): number {
		if (this.#window === 8) return fourBytes(bytes, at) >>> this.#shift_bits;
		return (bytes[at] ?? 0) | ((bytes[at + 1] ?? 0) << 8);
	}

	#compare(bytes: Uint8Array, length: number, at: number, onMatch: OnMatch): void {
		const bucket = this.#buckets.get(windowHash(bytes, at, this.#window));
		if (bucket === undefined) return;
		if (typeof bucket === "number") this.#compareOne(bytes, length, at, bucket, onMatch);
		else for (const index of bucket) this.#compareOne(bytes, length, at, index, onMatch);
	}

	#compareOne(
		bytes: Uint8Array,
		length: number,
		at: number,
		index: number,
		onMatch: OnMatch,
	): void {
		const pattern = this.#patterns[index] as Uint8Array;
		const start = at - (this.#anchors[index] ?? 0);
		const end = start + pattern.length;
		if (start >= 0 && end <= length && isAt(bytes, start, pattern)) onMatch(start, end, index);
	}
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
