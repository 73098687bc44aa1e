/**
 * Ids as the history has them: as few bytes as there are. Made by hand, because it is done five
 * times for each call, and what the engine offers for it takes several times as long.
 */

const no_digit = 16;
/** The value of each character that is a hex digit in lower case. */
const digits = new Uint8Array(128).fill(no_digit);
const in_order = "0123456789abcdef";
for (let value = 0; value < no_digit; value += 1) digits[in_order.charCodeAt(value)] = value;

/** Characters of a UUID, and before which of its bytes a hyphen stands. */
const uuid_chars = 36;
const uuid_bytes = 16;
const hyphens_before: ReadonlySet<number> = new Set([4, 6, 8, 10]);
/** Where each byte of a UUID begins. */
const uuid_places = Array.from({ length: uuid_bytes }, (_, byte) => {
	return 2 * byte + [...hyphens_before].filter((before) => before <= byte).length;
});
const hyphen_places = [...hyphens_before].map((byte) => (uuid_places[byte] ?? 0) - 1);
const hyphen = 0x2d;

/** The 16 bytes of a UUID in lower case; undefined for any other text. */
export function uuidBytes(text: string): Uint8Array | undefined {
	if (text.length !== uuid_chars) return undefined;
	for (const place of hyphen_places) if (text.charCodeAt(place) !== hyphen) return undefined;
	const bytes = new Uint8Array(uuid_bytes);
	for (let n = 0; n < uuid_bytes; n += 1) {
		const byte = byteAt(text, uuid_places[n] as number);
		if (byte < 0) return undefined;
		bytes[n] = byte;
	}
	return bytes;
}

/** The bytes of hex digits in lower case; undefined for any other text. */
export function hexBytes(text: string): Uint8Array | undefined {
	if (text.length % 2 !== 0) return undefined;
	const bytes = new Uint8Array(text.length / 2);
	for (let n = 0; n < bytes.length; n += 1) {
		const byte = byteAt(text, 2 * n);
		if (byte < 0) return undefined;
		bytes[n] = byte;
	}
	return bytes;
}

/** The byte of two digits; negative where they are none. */
function byteAt(text: string, place: number): number {
	const high = digits[text.charCodeAt(place)] ?? no_digit;
	const low = digits[text.charCodeAt(place + 1)] ?? no_digit;
	return high < no_digit && low < no_digit ? high * 16 + low : -1;
}

/** Whether the digits of a UUID end with these. */
export function endsWith(uuid: string, hex: string): boolean {
	let at = uuid.length - 1;
	for (let n = hex.length - 1; n >= 0; n -= 1, at -= 1) {
		if (uuid.charCodeAt(at) === hyphen) at -= 1;
		if (uuid.charCodeAt(at) !== hex.charCodeAt(n)) return false;
	}
	return true;
}
