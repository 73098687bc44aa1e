/**
 * Decoding a short string costs a call into native code, several times the price of scanning
 * it. Keys and method names repeat in every message, so the last ones seen are remembered.
 * The cache is a fixed number of slots, each holding the last text that fell into it: a peer
 * that sends ever new keys costs others a little time and no memory.
 */
const slots = 512;
/** The longest keys of every message, those of the envelope in `_meta`, are just over 40 bytes. */
const cached_bytes_max = 64;

/** ASCII without escapes only, so that the raw bytes of a text tell it from all others. */
const texts: string[] = Array.from({ length: slots }, () => "");
const text_bytes = new Uint8Array(slots * cached_bytes_max);

/**
 * The decoded text of a key or a method: of the JSON string whose content (without its quotes)
 * is `start..end`. The content must have been validated by the scanner. Not for values: they
 * do not repeat, and have no business in a cache.
 */
export function decodeName(bytes: Buffer, start: number, end: number): string {
	const length = end - start;
	if (length === 0 || length > cached_bytes_max) return decodeText(bytes, start, end);
	const first = bytes[start] as number;
	const middle = bytes[start + (length >> 1)] as number;
	// The keys of `_meta` begin and end alike: this byte tells clients' from servers'.
	const late = bytes[end - 1 - (length >> 2)] as number;
	const last = bytes[end - 1] as number;
	const slot = (first + middle * 7 + late * 13 + last * 31 + length * 67) & (slots - 1);
	const known = texts[slot] as string;
	if (known.length !== length) return remember(bytes, start, end, slot);
	const offset = slot * cached_bytes_max;
	for (let index = 0; index < length; index++) {
		if (text_bytes[offset + index] !== bytes[start + index]) {
			return remember(bytes, start, end, slot);
		}
	}
	return known;
}

/** The same for JSON as it is written, which is longer: a client says each time what it is. */
const raw_slots = 64;
const raw_bytes_max = 512;
/** Fewer bytes are compared sooner by hand than by a call into native code. */
const by_hand_max = 64;
const raw_texts: string[] = Array.from({ length: raw_slots }, () => "");
const raw_text_bytes = Buffer.alloc(raw_slots * raw_bytes_max);

/**
 * The text of `start..end` as it stands there, valid UTF-8; for what peers repeat in every message.
 * The same text is the same string, which whoever looks it up in a map has the use of.
 */
export function decodeRepeated(bytes: Buffer, start: number, end: number): string {
	const length = end - start;
	if (length === 0 || length > raw_bytes_max) return bytes.toString("utf8", start, end);
	const middle = bytes[start + (length >> 1)] as number;
	const late = bytes[end - 1 - (length >> 2)] as number;
	const slot = (middle * 7 + late * 31 + length * 67) & (raw_slots - 1);
	const known = raw_texts[slot] as string;
	const offset = slot * raw_bytes_max;
	if (
		known.length === length &&
		(length > by_hand_max
			? bytes.compare(raw_text_bytes, offset, offset + length, start, end) === 0
			: isThere(bytes, start, end, offset))
	) {
		return known;
	}
	const text = bytes.toString("utf8", start, end);
	// Only of plain ASCII the length tells how many bytes there are.
	if (text.length === length) {
		raw_texts[slot] = text;
		bytes.copy(raw_text_bytes, offset, start, end);
	}
	return text;
}

function isThere(bytes: Buffer, start: number, end: number, offset: number): boolean {
	for (let index = start, at = offset; index < end; index += 1, at += 1) {
		if (raw_text_bytes[at] !== bytes[index]) return false;
	}
	return true;
}

/** Names as JSON that were asked for lately. */
const quoted_names = new Map<string, string>();
const quoted_names_max = 512;

/** A key as JSON. The same few are written again and again, and quoting one is a call as well. */
export function quotedName(name: string): string {
	const known = quoted_names.get(name);
	if (known !== undefined) return known;
	const quoted = JSON.stringify(name);
	if (name.length > cached_bytes_max) return quoted;
	if (quoted_names.size >= quoted_names_max) quoted_names.clear();
	quoted_names.set(name, quoted);
	return quoted;
}

/** Decodes the content of any validated JSON string. */
export function decodeText(bytes: Buffer, start: number, end: number): string {
	const text = bytes.toString("utf8", start, end);
	// Escapes are left to the one decoder that certainly has them right.
	return text.includes("\\") ? (JSON.parse(`"${text}"`) as string) : text;
}

function remember(bytes: Buffer, start: number, end: number, slot: number): string {
	const text = decodeText(bytes, start, end);
	// Escapes and characters beyond ASCII take more bytes than they decode to characters.
	if (text.length !== end - start) return text;
	texts[slot] = text;
	text_bytes.set(bytes.subarray(start, end), slot * cached_bytes_max);
	return text;
}
