import { assert } from "../lib/assert.ts";
import { GrowingBuffer } from "./growing-buffer.ts";

/**
 * Server-sent events as the WHATWG HTML standard defines them (section 9.2, "Parsing an event
 * stream" and "Interpreting an event stream"), on bytes: data is not decoded.
 */

const byte_newline = 0x0a;
const byte_return = 0x0d;
const byte_space = 0x20;
const byte_colon = 0x3a;

const byte_order_mark = Buffer.from([0xef, 0xbb, 0xbf]);
const line_feed = Buffer.from("\n");
const data_field = Buffer.from("data: ");

/** A comment that readers ignore and that keeps the connection from looking dead. */
export const sse_comment_keep_alive: Buffer = Buffer.from(": keep-alive\n\n");

/** An event to be written. */
export interface SseEvent {
	/** Line breaks in it arrive as `\n`, whatever they were; in JSON that changes nothing. */
	readonly data: Buffer;
	/** Neither this nor `event` may have a line break or NUL in it. */
	readonly id?: string;
	readonly event?: string;
	readonly retry_ms?: number;
}

/** The bytes of one event with the empty line that dispatches it. */
export function encodeSseEvent(event: SseEvent): Buffer {
	let head = "";
	if (event.event !== undefined) head += `event: ${singleLine(event.event)}\n`;
	if (event.id !== undefined) head += `id: ${singleLine(event.id)}\n`;
	if (event.retry_ms !== undefined) {
		assert(Number.isSafeInteger(event.retry_ms) && event.retry_ms >= 0, "retry is a time");
		head += `retry: ${event.retry_ms}\n`;
	}
	const { data } = event;
	if (data.includes(byte_newline) || data.includes(byte_return)) {
		return encodeLines(head, data);
	}
	head += "data: ";
	const head_bytes = Buffer.byteLength(head);
	const encoded = Buffer.allocUnsafe(head_bytes + data.length + 2);
	encoded.write(head);
	data.copy(encoded, head_bytes);
	encoded[encoded.length - 2] = byte_newline;
	encoded[encoded.length - 1] = byte_newline;
	return encoded;
}

function encodeLines(head: string, data: Buffer): Buffer {
	const parts: Buffer[] = [Buffer.from(head)];
	const breaks = new LineBreaks(data);
	let from = 0;
	for (;;) {
		const line_end = breaks.next(from);
		parts.push(data_field, data.subarray(from, line_end), line_feed);
		if (line_end === data.length) break;
		const is_pair = data[line_end] === byte_return && data[line_end + 1] === byte_newline;
		from = line_end + (is_pair ? 2 : 1);
	}
	parts.push(line_feed);
	return Buffer.concat(parts);
}

function singleLine(text: string): string {
	assert(!/[\r\n\0]/u.test(text), "a field of an event is a single line");
	return text;
}

/**
 * Finds line ends of either kind. Both searches run ahead to the end of the chunk and are
 * remembered, so that a chunk of many lines is searched once and not once a line.
 */
class LineBreaks {
	readonly #chunk: Buffer;
	#newline = -1;
	#return = -1;

	constructor(chunk: Buffer) {
		this.#chunk = chunk;
	}

	/** The offset of the first line break from `from` on, or the chunk's length. */
	next(from: number): number {
		if (this.#newline < from) this.#newline = this.#find(byte_newline, from);
		if (this.#return < from) this.#return = this.#find(byte_return, from);
		return Math.min(this.#newline, this.#return);
	}

	#find(byte: number, from: number): number {
		const at = this.#chunk.indexOf(byte, from);
		return at === -1 ? this.#chunk.length : at;
	}
}

/** An event that was read. */
export interface SseReceived {
	/** "message" where the stream names no type. */
	readonly event: string;
	/** May share memory with the chunk it came in. */
	readonly data: Buffer;
	/** The last id the stream has set, on this event or before; undefined while there is none. */
	readonly id: string | undefined;
}

/** What an `SseReader` needs to know, and whom it tells. */
export interface SseReaderOptions {
	/** Longest data of one event; also bounds every line that is not a comment. */
	readonly event_bytes_max: number;
	onEvent(event: SseReceived): void;
	/** The stream asks to wait this long before connecting again. */
	onRetry(retry_ms: number): void;
	/** Called once for an event that is too large, as soon as it is; the event is discarded. */
	onOversize(): void;
}

/** Reads an event stream in chunks of any size. */
export class SseReader {
	readonly #options: SseReaderOptions;
	/** The line that has begun and not ended. */
	readonly #line = new GrowingBuffer();
	readonly #data = new GrowingBuffer();
	#has_data = false;
	#event = "";
	#id: string | undefined = undefined;
	/** A byte order mark is skipped here and nowhere else. */
	#is_first_line = true;
	#after_return = false;
	#in_comment = false;
	/** The current line is longer than any that is used, and so part of an oversize event. */
	#in_long_line = false;
	#discarding = false;

	constructor(options: SseReaderOptions) {
		this.#options = options;
	}

	/** Takes the next bytes of the stream. The chunk must not be changed afterwards. */
	push(chunk: Buffer): void {
		let from = 0;
		const breaks = new LineBreaks(chunk);
		while (from < chunk.length) {
			if (this.#after_return) {
				this.#after_return = false;
				if (chunk[from] === byte_newline) {
					from++;
					continue;
				}
			}
			const line_end = breaks.next(from);
			this.#extendLine(chunk.subarray(from, line_end));
			if (line_end === chunk.length) return;
			this.#after_return = chunk[line_end] === byte_return;
			from = line_end + 1;
			this.#finishLine();
		}
	}

	/** The stream has ended; an event without its empty line is dropped, as the standard says. */
	end(): void {
		this.#line.clear();
		this.#reset();
		this.#id = undefined;
		this.#is_first_line = true;
		this.#after_return = false;
		this.#in_comment = false;
		this.#in_long_line = false;
	}

	#extendLine(piece: Buffer): void {
		if (piece.length === 0 || this.#in_comment || this.#in_long_line) return;
		if (this.#line.length === 0 && piece[0] === byte_colon) {
			this.#in_comment = true;
			return;
		}
		// The longest line of use is all of the data behind its field name.
		const line_bytes_max = this.#options.event_bytes_max + data_field.length;
		if (this.#line.length + piece.length > line_bytes_max) {
			this.#in_long_line = true;
			this.#line.clear();
			this.#discard();
			return;
		}
		this.#line.append(piece);
	}

	#finishLine(): void {
		const is_first = this.#is_first_line;
		this.#is_first_line = false;
		if (this.#in_comment || this.#in_long_line) {
			this.#in_comment = false;
			this.#in_long_line = false;
			return;
		}
		let line = this.#line.take();
		if (is_first && line.subarray(0, 3).equals(byte_order_mark)) line = line.subarray(3);
		if (line.length === 0) this.#dispatch();
		else if (!this.#discarding) this.#interpret(line);
	}

	#interpret(line: Buffer): void {
		const colon = line.indexOf(byte_colon);
		const field = line.toString("latin1", 0, colon === -1 ? line.length : colon);
		let value = colon === -1 ? line.subarray(line.length) : line.subarray(colon + 1);
		if (value[0] === byte_space) value = value.subarray(1);
		if (field === "data") this.#addData(value);
		else if (field === "event") this.#event = value.toString();
		else if (field === "id") {
			if (!value.includes(0)) this.#id = value.toString();
		} else if (field === "retry") {
			const digits = value.toString("latin1");
			if (!/^[0-9]+$/u.test(digits)) return;
			this.#options.onRetry(Math.min(Number(digits), Number.MAX_SAFE_INTEGER));
		}
	}

	#addData(value: Buffer): void {
		if (this.#has_data) this.#data.append(line_feed);
		this.#has_data = true;
		this.#data.append(value);
		if (this.#data.length > this.#options.event_bytes_max) this.#discard();
	}

	#dispatch(): void {
		const event = this.#event === "" ? "message" : this.#event;
		const data = this.#has_data ? this.#data.take() : undefined;
		this.#reset();
		if (data !== undefined) this.#options.onEvent({ event, data, id: this.#id });
	}

	/** Gives up on the event under way; everything up to its empty line is skipped. */
	#discard(): void {
		if (this.#discarding) return;
		this.#reset();
		this.#discarding = true;
		this.#options.onOversize();
	}

	#reset(): void {
		this.#data.clear();
		this.#has_data = false;
		this.#event = "";
		this.#discarding = false;
	}
}
