/** Where a key in PEM form begins, and where it ends (RFC 7468); OpenPGP's look alike. */
const beginning = /-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----/g;
const ending = /-----END [A-Z0-9 ]{0,50}-----/;
const frames = ["-----BEGIN ", "-----END "];
/** The longest of both. */
const frame_bytes_max = 80;
/** Lines of one key; the longest RSA keys in use have some 200. */
const lines_max = 400;

/** What may stand in the lines between: base64, whatever stands in front of it, and headers. */
const body_lines = [
	/[A-Za-z0-9+/]{16}/,
	/^\s*[A-Za-z0-9+/]*={0,2}\s*$/,
	/[A-Za-z0-9+/]{2}={1,2}\s*$/,
	/^\s*(?:Proc-Type|DEK-Info|Version|Comment|Hash|Charset): /,
];

/**
 * Takes keys out of lines that come one by one. Nobody has told of them, so that they are known by
 * their form alone; and that is the form of the whole, of which a line in the middle has nothing.
 */
export class KeyLines {
	readonly #marker: string;
	/** Lines of the key that has begun and not ended; 0 outside of one. */
	#lines = 0;

	/** `marker` stands in the place of what is taken out. */
	constructor(marker: string) {
		this.#marker = marker;
	}

	get is_inside(): boolean {
		return this.#lines > 0;
	}

	/** The line without what belongs to a key that began on a line before. */
	next(line: string): string {
		const rest = this.#lines > 0 ? this.#inside(line) : line;
		if (this.#lines === 0 && isOpen(rest)) this.#lines = 1;
		return rest;
	}

	#inside(line: string): string {
		const end = ending.exec(line);
		if (end !== null) {
			this.#lines = 0;
			return this.#marker + line.slice(end.index + end[0].length);
		}
		this.#lines += 1;
		if (this.#lines <= lines_max && body_lines.some((form) => form.test(line))) {
			return this.#marker;
		}
		this.#lines = 0;
		return line;
	}
}

/** Whether a key begins in a text and does not end there. */
export function isOpen(text: string): boolean {
	if (!text.includes("PRIVATE KEY")) return false;
	const last = [...text.matchAll(beginning)].at(-1);
	return last !== undefined && dashAfter(text, last.index + last[0].length) < 0;
}

/**
 * How many of the last bytes are to be kept back, where `held` would be: the first and the last
 * line of a key are not cut in two.
 */
export function heldWithFrame(bytes: Buffer, held: number): number {
	const start = bytes.length - held;
	const at = Math.max(...frames.map((frame) => bytes.lastIndexOf(frame, start)));
	if (at < 0 || start - at > frame_bytes_max) return held;
	const closes = bytes.indexOf("-----", at + 5);
	return closes >= 0 && closes + 5 <= start ? held : Math.max(held, bytes.length - at);
}

/**
 * Where a key ends that the bytes are in the middle of: `from` is the first byte behind it, or
 * where its ending may begin, whose rest is to come (`is_open`).
 */
export function endOfKey(bytes: Buffer): { readonly from: number; readonly is_open: boolean } {
	const text = bytes.toString("latin1");
	const dash = dashAfter(text, 0);
	// A dash may come next, of which the sign before it says whether it is within a word.
	if (dash < 0) return { from: Math.max(0, bytes.length - 1), is_open: true };
	const rest = text.slice(dash, dash + frame_bytes_max);
	const end = ending.exec(rest);
	if (end?.index === 0) return { from: dash + end[0].length, is_open: false };
	if (rest.length >= frame_bytes_max || !mayEnd(rest)) return { from: dash, is_open: false };
	// With the sign before it: a dash within a word ends nothing.
	return { from: Math.max(0, dash - 1), is_open: true };
}

/** The next dash that is not within a word, as those of a key's headers are; -1: there is none. */
function dashAfter(text: string, from: number): number {
	const dash = /\B-|-\B/g;
	dash.lastIndex = from;
	return dash.exec(text)?.index ?? -1;
}

function mayEnd(text: string): boolean {
	const known = "-----END ";
	return known.startsWith(text) || (text.startsWith(known) && /^[A-Z0-9 -]*$/.test(text));
}
