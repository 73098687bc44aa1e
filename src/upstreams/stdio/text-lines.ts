import { LineReader } from "../../wire/ndjson.ts";

/**
 * Longest line for people that is read; the rest of a longer one is dropped. It is longer than what
 * is kept, so that a secret is still whole when it is looked for.
 */
const line_chars_max = 4096 + 1024;

/** A line for people: valid text of bounded length, told how much is missing. */
export function printable(bytes: Buffer, bytes_total = bytes.length): string {
	const text = bytes.toString("utf8", 0, line_chars_max);
	return bytes_total <= line_chars_max ? text : `${text}... (${bytes_total} bytes)`;
}

/** Cuts a stream of text into lines of bounded length. */
export function readTextLines(stream: NodeJS.ReadableStream, onLine: (line: string) => void): void {
	const reader = new LineReader({
		line_bytes_max: line_chars_max,
		onLine: (line) => onLine(printable(line)),
		onOversize: (head, bytes_total) => onLine(printable(head, bytes_total)),
	});
	stream.on("data", (chunk: Buffer) => reader.push(chunk));
	stream.on("end", () => reader.end());
}
