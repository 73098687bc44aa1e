import { byte_backslash } from "./scan.ts";

/**
 * Decoding a short string costs a call into native code, several times the price of scanning
 * it. Keys and method names repeat in every message, so the last ones seen are remembered.
 * The cache is a fixed number of slots, each holding the last string that hashed to it:
 * a peer that sends ever new keys gains nothing and costs no memory.
 */
const slots = 512;
const cached_bytes_max = 48;

/** ASCII strings only, so that a byte and a character code are the same thing. */
const cache: string[] = new Array<string>(slots).fill("");

/**
 * The decoded text of the JSON string whose content (without its quotes) is `start..end`.
 * The content must have been validated by the scanner.
 */
export function decodeText(bytes: Buffer, start: number, end: number): string {
	const length = end - start;
	if (length > cached_bytes_max) return decodeLong(bytes, start, end);
	let hash = length;
	for (let at = start; at < end; at++) {
		const byte = bytes[at] as number;
		if (byte === byte_backslash || byte >= 0x80) return decodeLong(bytes, start, end);
		hash = (Math.imul(hash, 31) + byte) | 0;
	}
	const slot = (hash ^ (hash >>> 15)) & (slots - 1);
	const known = cache[slot] as string;
	if (known.length === length && sameText(known, bytes, start)) return known;
	const text = bytes.toString("latin1", start, end);
	cache[slot] = text;
	return text;
}

function sameText(text: string, bytes: Buffer, start: number): boolean {
	for (let index = 0; index < text.length; index++) {
		if (text.charCodeAt(index) !== bytes[start + index]) return false;
	}
	return true;
}

/** Decodes without the cache; escapes are left to the one decoder that certainly has them right. */
function decodeLong(bytes: Buffer, start: number, end: number): string {
	const escape = bytes.indexOf(byte_backslash, start);
	if (escape === -1 || escape >= end) return bytes.toString("utf8", start, end);
	return JSON.parse(`"${bytes.toString("utf8", start, end)}"`) as string;
}
