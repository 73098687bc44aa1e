/**
 * A strict RFC 8259 scanner: finds where a JSON value ends and refuses what is not JSON.
 * It builds nothing, so that a message costs one pass over its bytes and no garbage.
 * Every function takes and gives plain offsets for the same reason: a scanner object or a
 * result object per value would cost more than the scanning itself.
 *
 * Bytes from 0x80 on are taken as they are inside strings: whoever needs UTF-8 checks the
 * whole buffer once (`isUtf8`), which is far cheaper than checking here.
 */

/** Containers may be nested this deep; the outermost one counts as the first level. */
export const depth_max = 128;

/** Returned instead of an offset when containers are nested deeper than allowed. */
export const too_deep = -1;

export const byte_quote = 0x22;
export const byte_comma = 0x2c;
export const byte_colon = 0x3a;
export const byte_array_open = 0x5b;
export const byte_backslash = 0x5c;
export const byte_array_close = 0x5d;
export const byte_object_open = 0x7b;
export const byte_object_close = 0x7d;

const byte_tab = 0x09;
const byte_newline = 0x0a;
const byte_return = 0x0d;
const byte_space = 0x20;
const byte_plus = 0x2b;
export const byte_minus = 0x2d;
const byte_dot = 0x2e;
export const byte_zero = 0x30;
export const byte_nine = 0x39;

/** From this length on a string is scanned a word at a time; below, the set-up costs more. */
const long_text_bytes = 128;

/** The negative number that stands for "not JSON at this offset". */
export function failedAt(offset: number): number {
	return -2 - offset;
}

/** The offset inside a number made by `failedAt`. */
export function failureOffset(failure: number): number {
	return -2 - failure;
}

/** The first offset from `at` on that is not JSON whitespace, at most `end`. */
export function skipSpace(bytes: Buffer, at: number, end: number): number {
	let next = at;
	while (next < end) {
		const byte = bytes[next] as number;
		// One comparison decides for nearly every byte of a compact message.
		if (byte > byte_space) return next;
		if (byte !== byte_space && byte !== byte_newline && byte !== byte_return && byte !== byte_tab) {
			return next;
		}
		next++;
	}
	return next;
}

/**
 * Which containers are open around the place being scanned: 1 for an object, 0 for an array.
 * One for all scans, as none is ever interrupted by another. One level more than a message
 * may have, for the array around the messages of a batch.
 */
const open_containers = new Uint8Array(depth_max + 1);

/**
 * The offset just behind the value that starts at `start` (or behind whitespace there), or a
 * negative number: `too_deep`, or `failedAt(offset)`. `depth` is how many levels of containers
 * the value may open. A loop and not a recursion: the calls would cost as much as the scanning.
 */
export function skipValue(bytes: Buffer, start: number, end: number, depth: number): number {
	let at = start;
	let level = 0;
	let is_key = false;
	for (;;) {
		// Here a value must start, or a key where one is due.
		at = skipSpace(bytes, at, end);
		if (at >= end) return failedAt(end);
		const byte = bytes[at] as number;
		if (byte === byte_quote) {
			at = skipPlainText(bytes, at + 1, end);
			if (at < end && bytes[at] === byte_quote) at++;
			else at = skipTextEnd(bytes, at, end);
			if (at < 0) return at;
			if (is_key) {
				at = skipSpace(bytes, at, end);
				if (at >= end || bytes[at] !== byte_colon) return failedAt(at);
				at++;
				is_key = false;
				continue;
			}
		} else if (is_key) {
			return failedAt(at);
		} else if (byte === byte_object_open || byte === byte_array_open) {
			if (level >= depth) return too_deep;
			const is_object = byte === byte_object_open;
			at = skipSpace(bytes, at + 1, end);
			if (at >= end) return failedAt(end);
			if (bytes[at] === (is_object ? byte_object_close : byte_array_close)) {
				at++;
			} else {
				open_containers[level++] = is_object ? 1 : 0;
				is_key = is_object;
				continue;
			}
		} else {
			at = skipScalar(bytes, at, end);
			if (at < 0) return at;
		}
		// Here a value has ended: close what it closes, until another value must follow.
		for (;;) {
			if (level === 0) return at;
			at = skipSpace(bytes, at, end);
			if (at >= end) return failedAt(end);
			const is_object = open_containers[level - 1] === 1;
			const next = bytes[at] as number;
			if (next === byte_comma) {
				at++;
				is_key = is_object;
				break;
			}
			if (next !== (is_object ? byte_object_close : byte_array_close)) return failedAt(at);
			level--;
			at++;
		}
	}
}

function skipScalar(bytes: Buffer, at: number, end: number): number {
	const byte = bytes[at] as number;
	if (byte === byte_minus || (byte >= byte_zero && byte <= byte_nine)) {
		return skipNumber(bytes, at, end);
	}
	if (byte === 0x74) return skipLiteral(bytes, at, end, "true");
	if (byte === 0x66) return skipLiteral(bytes, at, end, "false");
	if (byte === 0x6e) return skipLiteral(bytes, at, end, "null");
	return failedAt(at);
}

/**
 * The offset just behind the closing quote of the string whose content starts at `at`
 * (behind the opening quote), or a negative number as `skipValue` gives it.
 */
export function skipString(bytes: Buffer, at: number, end: number): number {
	const next = skipPlainText(bytes, at, end);
	if (next < end && bytes[next] === byte_quote) return next + 1;
	return skipTextEnd(bytes, next, end);
}

/**
 * The offset of the first byte that is not plain text, or of one where it is worth to go on
 * with longer steps. Small, so that the compiler puts it into the loops that call it: nearly
 * every string is short and ends here.
 */
function skipPlainText(bytes: Buffer, at: number, end: number): number {
	const short_end = end - at > long_text_bytes ? at + long_text_bytes : end;
	let next = at;
	while (next < short_end) {
		const byte = bytes[next] as number;
		if (byte === byte_quote || byte === byte_backslash || byte < byte_space) break;
		next++;
	}
	return next;
}

/** The rest of a string that has an escape, is long, or is broken. */
function skipTextEnd(bytes: Buffer, at: number, end: number): number {
	const short_end = end - at > long_text_bytes ? at + long_text_bytes : end;
	let next = at;
	while (next < short_end) {
		const byte = bytes[next] as number;
		if (byte === byte_quote) return next + 1;
		if (byte === byte_backslash) {
			next = skipEscape(bytes, next + 1, end);
			if (next < 0) return next;
		} else if (byte < byte_space) {
			return failedAt(next);
		} else {
			next++;
		}
	}
	return next < end ? skipLongText(bytes, next, end) : failedAt(end);
}

/** As `skipTextEnd`, four bytes at a time where there is nothing but plain text. */
function skipLongText(bytes: Buffer, at: number, end: number): number {
	// Words must be aligned to the memory they lie in, not to the buffer's own offset 0.
	const shift = (4 - (bytes.byteOffset & 3)) & 3;
	const words = new Int32Array(
		bytes.buffer,
		bytes.byteOffset + shift,
		Math.max(0, (end - shift) >> 2),
	);
	let next = at;
	while (next < end) {
		if (((next - shift) & 3) === 0) next = shift + 4 * skipPlainWords(words, (next - shift) >> 2);
		if (next >= end) break;
		const byte = bytes[next] as number;
		if (byte === byte_quote) return next + 1;
		if (byte === byte_backslash) {
			next = skipEscape(bytes, next + 1, end);
			if (next < 0) return next;
		} else if (byte < byte_space) {
			return failedAt(next);
		} else {
			next++;
		}
	}
	return failedAt(end);
}

/**
 * The index of the first word from `from` on that has a quote, a backslash or a control
 * character in it. For a byte below 0x80, `byte - 0x20` borrows into bit 7 when the byte is a
 * control character, and `(byte ^ sought) - 1` when it is the one sought; `~word` takes bytes
 * from 0x80 on out. A borrow may also raise a false alarm in the byte above one that has a
 * true one, which costs nothing, and never hides one. (Bit Twiddling Hacks, "hasless".)
 */
function skipPlainWords(words: Int32Array, from: number): number {
	let index = from;
	const end = words.length;
	while (index < end) {
		const word = words[index] as number;
		// `| 0` keeps the arithmetic in 32-bit integers.
		const control = (word - 0x20202020) | 0;
		const quote = ((word ^ 0x22222222) - 0x01010101) | 0;
		const backslash = ((word ^ 0x5c5c5c5c) - 0x01010101) | 0;
		if (((control | quote | backslash) & ~word & 0x80808080) !== 0) break;
		index++;
	}
	return index;
}

/** The offset behind the escape whose letter is at `at` (behind the backslash). */
function skipEscape(bytes: Buffer, at: number, end: number): number {
	if (at >= end) return failedAt(end);
	switch (bytes[at]) {
		case 0x22: // "
		case 0x5c: // \
		case 0x2f: // /
		case 0x62: // b
		case 0x66: // f
		case 0x6e: // n
		case 0x72: // r
		case 0x74: // t
			return at + 1;
		case 0x75: // u and four hexadecimal digits
			for (let next = at + 1; next < at + 5; next++) {
				if (next >= end || !isHex(bytes[next] as number)) return failedAt(next);
			}
			return at + 5;
		default:
			return failedAt(at);
	}
}

function isHex(byte: number): boolean {
	// Setting bit 5 turns A-F into a-f and leaves digits as they are.
	const lower = byte | 0x20;
	return (byte >= byte_zero && byte <= byte_nine) || (lower >= 0x61 && lower <= 0x66);
}

/** The offset behind the number at `at`: no leading zeros, no bare dot, no bare exponent. */
function skipNumber(bytes: Buffer, at: number, end: number): number {
	let next = bytes[at] === byte_minus ? at + 1 : at;
	if (next < end && bytes[next] === byte_zero) {
		next++;
	} else {
		next = skipDigits(bytes, next, end);
		if (next < 0) return next;
	}
	if (next < end && bytes[next] === byte_dot) {
		next = skipDigits(bytes, next + 1, end);
		if (next < 0) return next;
	}
	if (next < end && ((bytes[next] as number) | 0x20) === 0x65) {
		next++;
		if (next < end && (bytes[next] === byte_plus || bytes[next] === byte_minus)) next++;
		next = skipDigits(bytes, next, end);
	}
	return next;
}

/** The offset behind at least one digit. */
function skipDigits(bytes: Buffer, at: number, end: number): number {
	let next = at;
	while (next < end) {
		const byte = bytes[next] as number;
		if (byte < byte_zero || byte > byte_nine) break;
		next++;
	}
	return next > at ? next : failedAt(at);
}

function skipLiteral(bytes: Buffer, at: number, end: number, literal: string): number {
	for (let index = 1; index < literal.length; index++) {
		const next = at + index;
		if (next >= end || bytes[next] !== literal.charCodeAt(index)) return failedAt(next);
	}
	return at + literal.length;
}
