import { redactedHead } from "../secrets/redactor.ts";
import type { CallRecord } from "./call-record.ts";

/** Texts, times and ids as the lines of calls have them. */

/** Longest text a client or a server chose that stands in a line. */
export const text_chars_max = 512;

/** Takes secrets out of what others wrote. */
export interface LineRedactor {
	text(value: string): string;
	/** How many secrets it has learned so far: what was made before is made anew. */
	readonly changes?: number;
}

/** The client's own id of a request. One that is a text may be any text. */
export function safeRequestId(
	{ request_id }: Pick<CallRecord, "request_id">,
	redactor: LineRedactor,
): string {
	return request_id.startsWith('"') ? safeText(request_id, redactor) : cut(request_id);
}

/** A text that somebody else chose, without secrets, no longer than a line has it. */
export function safeText(text: string, redactor: LineRedactor): string {
	if (text.length <= text_chars_max) return cut(redactor.text(text));
	return `${redactedHead(redactor, text, text_chars_max - 1)}…`;
}

/** A text that somebody else chose, no longer than a line has it. */
export function cut(text: string): string {
	return text.length <= text_chars_max ? text : `${text.slice(0, text_chars_max - 1)}…`;
}

/** Quoted texts that were asked for lately. */
const quoted = new Map<string, string>();
const quoted_max = 4_000;
/** A longer text is hardly asked for twice. */
const quoted_chars_max = 64;

/** A text as JSON, cut; null where there is none. For texts that are asked for again. */
export function quote(text: string | undefined): string {
	if (text === undefined) return "null";
	const known = quoted.get(text);
	if (known !== undefined) return known;
	const made = JSON.stringify(cut(text));
	if (text.length <= quoted_chars_max) {
		if (quoted.size >= quoted_max) quoted.clear();
		quoted.set(text, made);
	}
	return made;
}

/** Of printable ASCII, without the two that need an escape. */
const plain_text = /^[ !#-[\]-~]*$/;

/** The same of a text that hardly comes again, such as an id. */
export function quoteOnce(text: string | undefined): string {
	if (text === undefined) return "null";
	const shown = cut(text);
	return plain_text.test(shown) ? `"${shown}"` : JSON.stringify(shown);
}

/** The second whose ISO form is known. */
let second = Number.NaN;
let second_text = "";

/** A wall-clock time in ISO 8601, in UTC. */
export function isoTime(at_ms: number): string {
	const whole_ms = Math.floor(at_ms);
	const at_second = Math.floor(whole_ms / 1000);
	if (at_second !== second) {
		second = at_second;
		second_text = new Date(at_second * 1000).toISOString().slice(0, -4);
	}
	const rest_ms = whole_ms - at_second * 1000;
	return `${second_text}${rest_ms < 10 ? "00" : rest_ms < 100 ? "0" : ""}${rest_ms}Z`;
}

/** Milliseconds to the microsecond. */
export function micros(duration_ms: number): number {
	return Math.round(duration_ms * 1000) / 1000;
}
