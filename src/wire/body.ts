import type { Edit } from "./message.ts";
import { applyEdits } from "./splice.ts";

/**
 * The bytes of a message on their way out, in one piece or in several that belong behind each
 * other: long ones are not copied only to have a few bytes of them changed.
 */
export type Body = Buffer | readonly Buffer[];

/** Shorter bodies are copied: another write costs more than the copy. */
const copied_bytes_max = 32 * 1024;

/** The bytes with all edits made: one piece where they are few, else views of the bytes. */
export function editedBody(bytes: Buffer, edits: readonly Edit[]): Body {
	if (bytes.length <= copied_bytes_max || edits.length === 0) return applyEdits(bytes, edits);
	const ordered = edits.toSorted((one, other) => one.start - other.start || one.end - other.end);
	const pieces: Buffer[] = [];
	let from = 0;
	for (const { start, end, text } of ordered) {
		if (start > from) pieces.push(bytes.subarray(from, start));
		if (text.length > 0) pieces.push(typeof text === "string" ? Buffer.from(text) : text);
		from = end;
	}
	if (from < bytes.length) pieces.push(bytes.subarray(from));
	return pieces;
}

/** All bytes of a body, in one piece. */
export function wholeBody(body: Body): Buffer {
	return isWhole(body) ? body : Buffer.concat(body);
}

/** How many bytes a body has. */
export function bodyLength(body: Body): number {
	return isWhole(body) ? body.length : body.reduce((sum, piece) => sum + piece.length, 0);
}

/** Whether a body is in one piece. */
export function isWhole(body: Body): body is Buffer {
	return Buffer.isBuffer(body);
}
