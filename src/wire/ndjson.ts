import { GrowingBuffer } from "./growing-buffer.ts";

const byte_newline = 0x0a;
const byte_return = 0x0d;
const byte_space = 0x20;

/** This much of an oversize line is kept, for whoever must say what it was. */
const head_bytes_max = 4096;

/** And this much of its end: a reply may have its id there. */
const tail_bytes_max = 256;

const nothing = Buffer.alloc(0);

/** What a `LineReader` needs to know, and whom it tells. */
export interface LineReaderOptions {
	/** Longest line accepted, without its line ending. */
	readonly line_bytes_max: number;
	/** True where nobody else looks at the chunks: one that was copied is empty afterwards. */
	readonly owns_chunks?: boolean;
	/** Called for every line that is not empty; the line may share memory with its chunk. */
	onLine(line: Buffer): void;
	/** Called as soon as a line is too long, long before it may end. */
	onExcess?(): void;
	/** Called once for a line that was too long, when it has ended. */
	onOversize(head: Buffer, bytes_total: number, tail: Buffer): void;
}

/**
 * Cuts a stream of bytes into lines that end with `\n` or `\r\n`. A line that is too long is
 * not kept: its first 4 KiB, its last 256 bytes and its length are all that remains of it.
 */
export class LineReader {
	readonly #options: LineReaderOptions;
	/** The line that has begun and not ended, while it is within the limit. */
	readonly #partial = new GrowingBuffer();
	/** The first bytes of the line that is being discarded. */
	#head: Buffer | undefined = undefined;
	#tail: Buffer = nothing;
	#bytes_discarded = 0;
	#discarded_return = false;

	constructor(options: LineReaderOptions) {
		this.#options = options;
	}

	/** Takes the next bytes of the stream. The chunk must not be changed afterwards. */
	push(chunk: Buffer): void {
		let from = 0;
		while (from < chunk.length) {
			const newline = chunk.indexOf(byte_newline, from);
			if (newline === -1) {
				// Of a chunk with the end of a line in it, others hold a part.
				const is_ours = from === 0 && this.#options.owns_chunks === true;
				this.#extend(from === 0 ? chunk : chunk.subarray(from), is_ours);
				return;
			}
			const piece = chunk.subarray(from, newline);
			from = newline + 1;
			if (this.#head === undefined && this.#partial.length === 0) {
				this.#deliver(piece);
			} else {
				this.#extend(piece);
				this.#finish();
			}
		}
	}

	/** The stream has ended; what stands behind the last newline is a line too. */
	end(): void {
		this.#finish();
	}

	#extend(piece: Buffer, is_ours = false): void {
		if (piece.length === 0) return;
		if (this.#head !== undefined) {
			this.#discard(piece);
			return;
		}
		this.#partial.append(piece, is_ours);
		// One byte more than the limit may still turn out to be the return of a line ending.
		if (this.#partial.length > this.#options.line_bytes_max + 1) {
			const begun = this.#partial.take();
			this.#head = nothing;
			this.#tail = nothing;
			this.#discard(begun);
			this.#options.onExcess?.();
		}
	}

	#discard(piece: Buffer): void {
		const head = this.#head as Buffer;
		if (head.length < head_bytes_max) {
			this.#head = Buffer.concat([head, piece.subarray(0, head_bytes_max - head.length)]);
		}
		const tail = piece.length < tail_bytes_max ? Buffer.concat([this.#tail, piece]) : piece;
		this.#tail = Buffer.from(tail.subarray(-tail_bytes_max));
		this.#bytes_discarded += piece.length;
		this.#discarded_return = piece[piece.length - 1] === byte_return;
	}

	#finish(): void {
		if (this.#head === undefined) {
			if (this.#partial.length > 0) this.#deliver(this.#partial.take());
			return;
		}
		const bytes_total = this.#bytes_discarded - (this.#discarded_return ? 1 : 0);
		const head = this.#head.subarray(0, bytes_total);
		const tail = this.#discarded_return ? this.#tail.subarray(0, -1) : this.#tail;
		this.#head = undefined;
		this.#tail = nothing;
		this.#bytes_discarded = 0;
		this.#options.onOversize(head, bytes_total, tail);
	}

	#deliver(piece: Buffer): void {
		const length = piece.at(-1) === byte_return ? piece.length - 1 : piece.length;
		if (length === 0) return;
		if (length > this.#options.line_bytes_max) {
			// Copies, so that whoever keeps the ends does not keep the chunk.
			const head = Buffer.from(piece.subarray(0, Math.min(length, head_bytes_max)));
			const tail = Buffer.from(piece.subarray(Math.max(0, length - tail_bytes_max), length));
			this.#options.onOversize(head, length, tail);
			return;
		}
		this.#options.onLine(length === piece.length ? piece : piece.subarray(0, length));
	}
}

/**
 * A JSON text as one line with its newline. Line breaks in valid JSON stand only between
 * tokens, where a space means the same; all other bytes stay.
 */
export function toLine(bytes: Buffer): Buffer {
	const line = Buffer.allocUnsafe(bytes.length + 1);
	bytes.copy(line);
	line[bytes.length] = byte_newline;
	return asLine(line);
}

/** Makes a JSON text with its newline one line, in place: the memory must be the caller's own. */
export function asLine(text: Buffer): Buffer {
	blank(text, byte_newline);
	blank(text, byte_return);
	return text;
}

function blank(text: Buffer, byte: number): void {
	const end = text.length - 1;
	for (let at = text.indexOf(byte); at !== -1 && at < end; at = text.indexOf(byte, at + 1)) {
		text[at] = byte_space;
	}
}
