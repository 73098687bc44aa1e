import { endOfKey, heldWithFrame, isOpen } from "./key-block.ts";

/** Where a secret stands: from the first number up to, and without, the second. */
export type Range = [start: number, end: number];

/** One run of bytes on its way. */
export interface ByteRedaction {
	/** What may go on: all but the last bytes that may be the beginning of a secret. */
	push(chunk: Buffer): Buffer;
	/** The rest. */
	end(): Buffer;
}

/** What a stream needs of its redactor. */
export interface Finder {
	/**
	 * Where known values stand in the first `length` bytes, merged and in order, and which of the
	 * token patterns may have a match there.
	 */
	find(bytes: Uint8Array, length: number): Found;
	/** How many of the last bytes may be the beginning of a known value that goes on elsewhere. */
	heldBytes(bytes: Buffer): number;
	/** Bytes `from` to `to` with all redacted that was found. */
	redact(bytes: Buffer, from: number, to: number, found: Found): Buffer;
}

/** What stands in some bytes. */
export interface Found {
	readonly ranges: readonly Range[];
	readonly patterns: ReadonlySet<number>;
}

/** A run of token characters at the end of a chunk may go on; one that is longer is no token. */
const run_bytes_max = 4096;

const run_bytes = new Uint8Array(256);
for (const sign of "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.+/=~:@%") {
	run_bytes[sign.charCodeAt(0)] = 1;
}

/** Redacts a run of bytes chunk by chunk, see `Redactor.stream`. */
export class RedactionStream implements ByteRedaction {
	readonly #finder: Finder;
	#held: Buffer = Buffer.alloc(0);
	/** How many of the held bytes belong to a value whose marker has gone on already. */
	#masked = 0;
	/** Whether they are in the middle of a key that nobody knows, whose marker has gone on. */
	#in_key = false;

	constructor(finder: Finder) {
		this.#finder = finder;
	}

	push(chunk: Buffer): Buffer {
		const all = this.#held.length === 0 ? chunk : Buffer.concat([this.#held, chunk]);
		const bytes = this.#pastKey(all);
		if (this.#in_key) return Buffer.alloc(0);
		const held = heldWithFrame(bytes, Math.max(this.#finder.heldBytes(bytes), endingRun(bytes)));
		const ready = bytes.length - held;
		// Nearly always there is none: no text is made to see that.
		this.#in_key = bytes.includes("PRIVATE KEY") && isOpen(bytes.toString("latin1", 0, ready));
		return this.#pass(bytes, ready);
	}

	end(): Buffer {
		const bytes = this.#pastKey(this.#held);
		return this.#in_key ? Buffer.alloc(0) : this.#pass(bytes, bytes.length);
	}

	/** What stands behind the key that the bytes are in the middle of. */
	#pastKey(bytes: Buffer): Buffer {
		if (!this.#in_key) return bytes;
		const { from, is_open } = endOfKey(bytes);
		this.#in_key = is_open;
		this.#masked = Math.max(0, this.#masked - from);
		const rest = bytes.subarray(from);
		if (is_open) this.#held = Buffer.from(rest);
		return rest;
	}

	/** Hands on the first `ready` bytes, and keeps the others. */
	#pass(bytes: Buffer, ready: number): Buffer {
		const { ranges, patterns } = this.#finder.find(bytes, bytes.length);
		let from = this.#masked;
		for (const [start, end] of ranges) if (start <= from && end > from) from = end;
		// Of a value that is cut in two, the second half is remembered as one that is masked.
		const cut = ranges.find(([start, end]) => start < ready && ready < end);
		const masked_end = Math.max(cut?.[1] ?? 0, this.#masked > 0 ? from : 0);
		const safe =
			from >= ready && this.#masked > 0
				? Buffer.alloc(0)
				: this.#finder.redact(bytes, this.#masked > 0 ? from : 0, ready, { ranges, patterns });
		this.#masked = Math.max(0, masked_end - ready);
		// A copy: whoever handed the chunk in may use its memory again.
		this.#held = Buffer.from(bytes.subarray(ready));
		return safe;
	}
}

function endingRun(bytes: Buffer): number {
	let run = 0;
	while (run < bytes.length && run_bytes[bytes[bytes.length - 1 - run] ?? 0] === 1) {
		run += 1;
		if (run > run_bytes_max) return 0;
	}
	return run;
}
