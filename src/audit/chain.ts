import { hash } from "node:crypto";

/**
 * The lines of the audit log. A line is an entry:
 *
 *     SEQ PREV HASH JSON\n
 *
 * SEQ counts from 1 without gaps, PREV is the HASH of the line before, and HASH is the SHA-256 of
 * `SEQ PREV JSON`; both are base64url. So each line can be checked by itself, and each tie between
 * two lines by itself: that is how the first altered entry is told from the one behind it.
 */

/** Length of a hash as it is written. */
export const hash_chars = 43;

/** What stands before the first entry. */
export const genesis_hash = "A".repeat(hash_chars);

/** Where a chain stands: its last entry. */
export interface ChainHead {
	/** 0 before the first entry. */
	readonly seq: number;
	readonly hash: string;
}

/** The head of a chain without entries. */
export const empty_head: ChainHead = Object.freeze({ seq: 0, hash: genesis_hash });

/** An entry as it stands in a line. */
export interface ChainLine {
	readonly seq: number;
	readonly prev: string;
	readonly hash: string;
	readonly json: string;
}

/** The hash that a line of this content has. */
function lineHash(seq: number, prev: string, json: string): string {
	return hash("sha256", `${seq} ${prev} ${json}`, "base64url");
}

// SEQ has no leading zero; one way to write each line, so that no byte of it is free.
const line_form = /^([1-9]\d{0,15}) ([\w-]{43}) ([\w-]{43}) (\{[^\n]*\})$/s;

/**
 * Reads a line without its newline; undefined where it has not the form of one. Whether its hash
 * is right is for `isWhole` to say.
 */
export function readLine(text: string): ChainLine | undefined {
	const found = line_form.exec(text);
	if (found === null) return undefined;
	const [, seq = "", prev = "", own = "", json = ""] = found;
	return { seq: Number(seq), prev, hash: own, json };
}

/** Whether a line is as it was written: its hash is that of its content. */
export function isWhole({ seq, prev, hash: own, json }: ChainLine): boolean {
	return lineHash(seq, prev, json) === own;
}

/** Writes the JSON of a line by itself. */
export interface JsonWriter {
	readonly bytes_max: number;
	/** Into these bytes from a place on; returns where it ends. */
	write(bytes: Buffer, at: number): number;
}

/** Lines of one append, made one behind the other in memory that is used again. */
export class LineBuffer {
	#bytes = Buffer.allocUnsafe(first_bytes);
	#length = 0;
	#head: ChainHead = empty_head;

	/** Lines that follow this head. What was made before is overwritten. */
	begin(head: ChainHead): void {
		this.#head = head;
		this.#length = 0;
		if (this.#bytes.length > kept_bytes_max) this.#bytes = Buffer.allocUnsafe(first_bytes);
	}

	/** Adds the next line. */
	add(json: string | JsonWriter): void {
		const seq = this.#head.seq + 1;
		const about = `${seq} ${this.#head.hash} `;
		const json_at = this.#length + about.length + hash_chars + 1;
		const is_text = typeof json === "string";
		const bytes = this.#reserve(json_at + (is_text ? bytesAtMost(json) : json.bytes_max) + 1);
		const json_end = is_text
			? json_at + bytes.write(json, json_at, "utf8")
			: json.write(bytes, json_at);
		// What is hashed stands together for a moment, in the place where the hash comes then.
		const hashed_at = json_at - about.length;
		writeShort(bytes, hashed_at, about);
		const own = hash("sha256", bytes.subarray(hashed_at, json_end), "base64url");
		writeShort(bytes, this.#length, about);
		writeShort(bytes, this.#length + about.length, own);
		bytes[json_at - 1] = space;
		bytes[json_end] = newline;
		this.#length = json_end + 1;
		this.#head = { seq, hash: own };
	}

	/** The lines, up to the next `begin`. */
	get bytes(): Buffer {
		return this.#bytes.subarray(0, this.#length);
	}

	/** The head that they make. */
	get head(): ChainHead {
		return this.#head;
	}

	#reserve(needed: number): Buffer {
		if (needed <= this.#bytes.length) return this.#bytes;
		const larger = Buffer.allocUnsafe(Math.max(needed, 2 * this.#bytes.length));
		this.#bytes.copy(larger, 0, 0, this.#length);
		this.#bytes = larger;
		return larger;
	}
}

/** Memory at the beginning, and how much of it is kept from one append to the next. */
const first_bytes = 256 * 1024;
const kept_bytes_max = 4 * 1024 * 1024;
const newline = 0x0a;
const space = 0x20;

/** Writes a text of ASCII. One so short is written before the engine has been asked to. */
function writeShort(bytes: Buffer, start: number, text: string): void {
	for (let at = 0; at < text.length; at += 1) bytes[start + at] = text.charCodeAt(at);
}

/** Of longer texts it is found out how many bytes they are. */
const short_chars_max = 64 * 1024;

function bytesAtMost(json: string): number {
	return json.length > short_chars_max ? Buffer.byteLength(json) : json.length * 3;
}
