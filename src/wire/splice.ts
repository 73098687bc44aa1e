import { assert } from "../lib/assert.ts";
import { quotedName } from "./decode.ts";
import type { Edit, Member, ObjectIndex, Span } from "./message.ts";
import { byte_object_open } from "./scan.ts";

/** Shorter ASCII texts are written by hand: the call into native code costs more. */
const short_text_chars = 48;

/**
 * The bytes with all edits made, in one allocation; the bytes themselves when there are none.
 * Edits may come in any order; those that insert at the same offset keep theirs, and come
 * before one that replaces what follows. Asserts that they do not overlap.
 */
export function applyEdits(bytes: Buffer, edits: readonly Edit[]): Buffer {
	if (edits.length === 0) return bytes;
	const ordered = isOrdered(edits) ? edits : edits.toSorted(byPlace);
	let length = bytes.length;
	let free_from = 0;
	for (const edit of ordered) {
		assert(edit.start >= free_from && edit.end >= edit.start, "edits must not overlap");
		free_from = edit.end;
		length += byteLength(edit.text) - (edit.end - edit.start);
	}
	assert(free_from <= bytes.length, "an edit must lie within the bytes");
	const edited = Buffer.allocUnsafe(length);
	let from = 0;
	let to = 0;
	for (const { start, end, text } of ordered) {
		if (start > from) to += bytes.copy(edited, to, from, start);
		to += write(edited, to, text);
		from = end;
	}
	to += bytes.copy(edited, to, from);
	assert(to === length, "an edit was not written as measured");
	return edited;
}

/** An edit that puts `text` in place of `span`. */
export function replaceSpan(span: Span, text: string | Buffer): Edit {
	return { start: span.start, end: span.end, text };
}

/** What `objectEdits` is to do; values are raw JSON. */
export interface ObjectChange {
	readonly set?: Readonly<Record<string, string | Buffer>>;
	readonly remove?: readonly string[];
}

/**
 * The edits that set and remove members of one object and leave every other byte as it is.
 * A key that exists is replaced in place, a new one is added at the end, a removed one takes
 * its comma along; `set` wins over `remove`. A key the object has twice is left once when set,
 * not at all when removed. Make all changes of one object in one call: two calls do not know
 * of each other's commas.
 */
export function objectEdits(bytes: Buffer, object: ObjectIndex, change: ObjectChange): Edit[] {
	assert(bytes[object.span.start] === byte_object_open, "the object is not of these bytes");
	const { members } = object;
	const set = change.set ?? {};
	const edits: Edit[] = [];
	let last_kept = -1;
	for (let index = 0; index < members.length; index++) {
		const member = members[index] as Member;
		const is_set = Object.hasOwn(set, member.key);
		const is_gone = is_set
			? isRepeated(members, index)
			: (change.remove?.includes(member.key) ?? false);
		if (is_gone) {
			edits.push(removal(members, index, last_kept));
			continue;
		}
		last_kept = index;
		if (is_set) edits.push(replaceSpan(member.value, set[member.key] as string | Buffer));
	}
	const kept = members[last_kept];
	const place = kept?.value.end ?? members[0]?.key_start ?? object.span.start + 1;
	let separator = kept === undefined ? "" : ",";
	for (const key of Object.keys(set)) {
		if (members.some((member) => member.key === key)) continue;
		const value = set[key] as string | Buffer;
		const name = `${separator}${quotedName(key)}:`;
		if (typeof value === "string") {
			edits.push({ start: place, end: place, text: name + value });
		} else {
			edits.push({ start: place, end: place, text: name });
			edits.push({ start: place, end: place, text: value });
		}
		separator = ",";
	}
	return edits;
}

/** Whether a later member has the same key; `set` keeps the one that counts, the last. */
function isRepeated(members: readonly Member[], index: number): boolean {
	const key = members[index]?.key;
	return members.some((member, other) => other > index && member.key === key);
}

/**
 * Behind a member that stays, a removal takes the comma before it; before the first one that
 * stays it takes the comma after it. The removals of neighbours then touch and never overlap.
 */
function removal(members: readonly Member[], index: number, last_kept: number): Edit {
	const member = members[index] as Member;
	if (last_kept >= 0) {
		const before = members[index - 1] as Member;
		return { start: before.value.end, end: member.value.end, text: "" };
	}
	const after = members[index + 1];
	return { start: member.key_start, end: after?.key_start ?? member.value.end, text: "" };
}

function isOrdered(edits: readonly Edit[]): boolean {
	for (let index = 1; index < edits.length; index++) {
		if (byPlace(edits[index - 1] as Edit, edits[index] as Edit) > 0) return false;
	}
	return true;
}

function byPlace(one: Edit, other: Edit): number {
	return one.start - other.start || one.end - other.end;
}

function byteLength(text: string | Buffer): number {
	if (typeof text !== "string") return text.length;
	if (text.length > short_text_chars) return Buffer.byteLength(text);
	for (let index = 0; index < text.length; index++) {
		if (text.charCodeAt(index) >= 0x80) return Buffer.byteLength(text);
	}
	return text.length;
}

/** Gives the number of bytes written. */
function write(target: Buffer, at: number, text: string | Buffer): number {
	if (typeof text !== "string") return text.copy(target, at);
	if (text.length > short_text_chars) return target.write(text, at);
	for (let index = 0; index < text.length; index++) {
		const code = text.charCodeAt(index);
		if (code >= 0x80) return target.write(text, at);
		target[at + index] = code;
	}
	return text.length;
}
