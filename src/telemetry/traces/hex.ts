/**
 * Numbers in ids of traces, which are hex digits in lower case. By hand: every call asks for some,
 * and `parseInt` and `toString` take several times as long.
 */

const hex_digits = "0123456789abcdef";
const zero = 0x30;
const nine = 0x39;
const ten_before_a = 0x61 - 10;

/** The number that some digits of an id are; at most seven of them. */
export function hexNumber(id: string, start: number, end: number): number {
	let value = 0;
	for (let at = start; at < end; at += 1) {
		const code = id.charCodeAt(at);
		value = (value << 4) | (code <= nine ? code - zero : code - ten_before_a);
	}
	return value;
}

/** The digit of a number from 0 to 15. */
export function hexDigit(value: number): string {
	return hex_digits.charAt(value);
}

const uuid_chars = 36;
const hyphen = 0x2d;

/** A trace and a span that are named like a UUID: its 32 digits, and the last 16 of them. */
export function idsOfUuid(uuid: string): { readonly trace_id: string; readonly span_id: string } {
	if (!isUuid(uuid)) {
		const trace_id = uuid.replaceAll("-", "");
		return { trace_id, span_id: trace_id.slice(16) };
	}
	const span_id = uuid.slice(19, 23) + uuid.slice(24);
	const front = `${uuid.slice(0, 8)}${uuid.slice(9, 13)}${uuid.slice(14, 18)}`;
	return { trace_id: front + span_id, span_id };
}

function isUuid(text: string): boolean {
	return (
		text.length === uuid_chars &&
		text.charCodeAt(8) === hyphen &&
		text.charCodeAt(13) === hyphen &&
		text.charCodeAt(18) === hyphen &&
		text.charCodeAt(23) === hyphen
	);
}
