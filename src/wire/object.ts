import { decodeName, decodeRepeated, decodeText } from "./decode.ts";
import type { Member, ObjectIndex, Span } from "./message.ts";
import { parseJson } from "./parse-json.ts";
import {
	byte_array_close,
	byte_array_open,
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
 * Locates the members of the object at `span`, in their order. The span must be JSON that has
 * been validated, as every span of a `Message` is. Undefined when the value is not an object.
 * Members that appear twice are all listed.
 */
export function indexObject(bytes: Buffer, span: Span): ObjectIndex | undefined {
	const { end } = span;
	let at = skipSpace(bytes, span.start, end);
	if (at >= end || bytes[at] !== byte_object_open) return undefined;
	const start = at;
	const members: Member[] = [];
	at = skipSpace(bytes, at + 1, end);
	if (at < end && bytes[at] === byte_object_close) {
		return { span: { start, end: at + 1 }, members };
	}
	while (at < end && bytes[at] === byte_quote) {
		const key_start = at;
		const key_end = skipString(bytes, at + 1, end);
		if (key_end < 0) return undefined;
		at = skipSpace(bytes, key_end, end);
		if (at >= end || bytes[at] !== byte_colon) return undefined;
		const value_start = skipSpace(bytes, at + 1, end);
		const value_end = skipValue(bytes, value_start, end, depth_max);
		if (value_end < 0) return undefined;
		members.push({
			key: decodeName(bytes, key_start + 1, key_end - 1),
			key_start,
			value: { start: value_start, end: value_end },
		});
		at = skipSpace(bytes, value_end, end);
		if (at >= end) return undefined;
		if (bytes[at] === byte_object_close) return { span: { start, end: at + 1 }, members };
		if (bytes[at] !== byte_comma) return undefined;
		at = skipSpace(bytes, at + 1, end);
	}
	return undefined;
}

/** Locates the items of the array at `span`; undefined when the value is not an array. */
export function indexArray(bytes: Buffer, span: Span): Span[] | undefined {
	const { end } = span;
	let at = skipSpace(bytes, span.start, end);
	if (at >= end || bytes[at] !== byte_array_open) return undefined;
	const items: Span[] = [];
	at = skipSpace(bytes, at + 1, end);
	if (at < end && bytes[at] === byte_array_close) return items;
	while (at < end) {
		const item_end = skipValue(bytes, at, end, depth_max);
		if (item_end < 0) return undefined;
		items.push({ start: at, end: item_end });
		at = skipSpace(bytes, item_end, end);
		if (at >= end) return undefined;
		if (bytes[at] === byte_array_close) return items;
		if (bytes[at] !== byte_comma) return undefined;
		at = skipSpace(bytes, at + 1, end);
	}
	return undefined;
}

/**
 * Where the value of `key` is. Of members that appear twice the last one counts, as it does
 * for `JSON.parse`.
 */
export function memberSpan(object: ObjectIndex | undefined, key: string): Span | undefined {
	if (object === undefined) return undefined;
	const { members } = object;
	for (let index = members.length - 1; index >= 0; index--) {
		const member = members[index] as Member;
		if (member.key === key) return member.value;
	}
	return undefined;
}

/** Where the value at the end of a path of keys is, from the object at `span` down. */
export function spanAt(
	bytes: Buffer,
	span: Span | undefined,
	path: readonly string[],
): Span | undefined {
	let at = span;
	for (const key of path) {
		if (at === undefined) return undefined;
		at = memberSpan(indexObject(bytes, at), key);
	}
	return at;
}

/** The decoded string at `span`; undefined when there is no value or it is not a string. */
export function readString(bytes: Buffer, span: Span | undefined): string | undefined {
	if (span === undefined || bytes[span.start] !== byte_quote) return undefined;
	return decodeText(bytes, span.start + 1, span.end - 1);
}

/** The same of a string that is one of few, such as a revision: it is remembered, as keys are. */
export function readName(bytes: Buffer, span: Span | undefined): string | undefined {
	if (span === undefined || bytes[span.start] !== byte_quote) return undefined;
	return decodeName(bytes, span.start + 1, span.end - 1);
}

/** The parsed value at `span`; undefined when there is no value. */
export function readJson(bytes: Buffer, span: Span | undefined): unknown {
	return span === undefined ? undefined : parseJson(bytes, span);
}

/** The value of JSON that was a slice of a message once, or of another validated text. */
export function readJsonText(json: string): unknown {
	const bytes = Buffer.from(json);
	return parseJson(bytes, { start: 0, end: bytes.length });
}

/** As `rawText`, for what a peer says in every message. */
export function repeatedText(bytes: Buffer, span: Span): string {
	return decodeRepeated(bytes, span.start, span.end);
}

/** The text at `span` as it is written, for a string with its quotes and escapes. */
export function rawText(bytes: Buffer, span: Span): string {
	return bytes.toString("utf8", span.start, span.end);
}
