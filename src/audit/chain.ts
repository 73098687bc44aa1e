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

/** The next line of a chain, its newline included, and the head it makes. */
export function nextLine(head: ChainHead, json: string): { line: string; head: ChainHead } {
	const seq = head.seq + 1;
	const own = lineHash(seq, head.hash, json);
	return { line: `${seq} ${head.hash} ${own} ${json}\n`, head: { seq, hash: own } };
}

/** The hash that a line of this content has. */
export function lineHash(seq: number, prev: string, json: string): string {
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
