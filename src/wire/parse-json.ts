import { assert } from "../lib/assert.ts";
import { decodeText } from "./decode.ts";
import type { Span } from "./message.ts";
import {
	byte_array_close,
	byte_array_open,
	byte_backslash,
	byte_colon,
	byte_comma,
	byte_object_close,
	byte_object_open,
	byte_quote,
	depth_max,
	skipSpace,
	skipString,
	skipValue,
} from "./scan.ts";

/**
 * The value of validated JSON. Says the same as `JSON.parse`, which it uses wherever it can be
 * trusted: V8 takes a key with an escape in it for another key that it has met before
 * (https://github.com/nodejs/node/issues/63785). After `{"\\":1}` from anyone, `{"\u0061":1}`
 * has a key `\`, so a caller could hide an argument from whoever decides about the call.
 * @param text the same as text, where somebody has decoded it already
 */
export function parseJson(bytes: Buffer, span: Span, text?: string): unknown {
	if (!hasEscapedKey(bytes, span)) {
		return JSON.parse(text ?? bytes.toString("utf8", span.start, span.end));
	}
	const builder = new Builder(bytes, span);
	return builder.value(depth_max);
}

/** Up to here a search may run on behind the span. */
const short_bytes_max = 4096;

function hasEscapedKey(bytes: Buffer, span: Span): boolean {
	// Most have none, and what is short is searched to its end sooner than a view is made of it.
	if (bytes.length - span.start <= short_bytes_max) {
		const first = bytes.indexOf(byte_backslash, span.start);
		if (first === -1 || first >= span.end) return false;
	}
	// A view, so that no search runs on into what lies behind the span.
	const json = bytes.subarray(span.start, span.end);
	const end = json.length;
	let escape = json.indexOf(byte_backslash);
	let at = 0;
	while (escape !== -1) {
		// Outside of strings there is no quote but the one that opens the next.
		while (at < end && json[at] !== byte_quote) at++;
		if (at >= end) return false;
		const text_end = skipString(json, at + 1, end);
		assert(text_end > 0, "the JSON must have been validated");
		at = skipSpace(json, text_end, end);
		if (escape >= text_end) continue;
		if (at < end && json[at] === byte_colon) return true;
		escape = json.indexOf(byte_backslash, text_end);
	}
	return false;
}

/** Builds a value from validated JSON, key by key. */
class Builder {
	readonly #bytes: Buffer;
	readonly #end: number;
	#at: number;

	constructor(bytes: Buffer, span: Span) {
		this.#bytes = bytes;
		this.#at = span.start;
		this.#end = span.end;
	}

	value(depth: number): unknown {
		const byte = this.#peek();
		if (byte === byte_quote) return this.#text();
		if (byte === byte_object_open) return this.#object(depth - 1);
		if (byte === byte_array_open) return this.#array(depth - 1);
		const start = this.#at;
		this.#at = skipValue(this.#bytes, start, this.#end, 0);
		assert(this.#at > start, "the JSON must have been validated");
		return JSON.parse(this.#bytes.toString("latin1", start, this.#at));
	}

	#object(depth: number): unknown {
		const entries: [key: string, value: unknown][] = [];
		this.#open(depth);
		while (this.#peek() !== byte_object_close) {
			const key = this.#text();
			assert(this.#peek() === byte_colon, "the JSON must have been validated");
			this.#at++;
			entries.push([key, this.value(depth)]);
			if (this.#peek() === byte_comma) this.#at++;
		}
		this.#at++;
		// Makes own properties of all keys, `__proto__` too, and lets the last of equals win.
		return Object.fromEntries(entries);
	}

	#array(depth: number): unknown {
		const items: unknown[] = [];
		this.#open(depth);
		while (this.#peek() !== byte_array_close) {
			items.push(this.value(depth));
			if (this.#peek() === byte_comma) this.#at++;
		}
		this.#at++;
		return items;
	}

	#open(depth: number): void {
		assert(depth >= 0, "the JSON must have been validated");
		this.#at++;
	}

	#text(): string {
		const start = this.#at + 1;
		this.#at = skipString(this.#bytes, start, this.#end);
		assert(this.#at > 0, "the JSON must have been validated");
		return decodeText(this.#bytes, start, this.#at - 1);
	}

	/** The byte of the next token. */
	#peek(): number {
		this.#at = skipSpace(this.#bytes, this.#at, this.#end);
		assert(this.#at < this.#end, "the JSON must have been validated");
		return this.#bytes[this.#at] as number;
	}
}
