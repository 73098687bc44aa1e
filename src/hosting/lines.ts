import type { Clock } from "../lib/clock.ts";
import { isOpen, KeyLines } from "../secrets/key-block.ts";
import { type Redactor, redacted, redactedHead } from "../secrets/redactor.ts";
import type { LineStream } from "../upstreams/driver.ts";

/** Most lines kept for one server. */
export const lines_max = 500;
/** Longest kept line in UTF-8 bytes, the ellipsis of a shortened one included. */
export const line_bytes_max = 4096;
/** Most followers of one server's lines. */
export const followers_max = 64;

/** Instances whose lines may be in the middle of a key at one time. */
const keys_max = 256;

/** One line a server wrote for people, or that was noted about it. */
export interface LogLine {
	/** Wall-clock time in milliseconds since the epoch. */
	readonly time_ms: number;
	readonly source: LineStream;
	/** Which of the server's instances wrote it; 0 for lines about the server itself. */
	readonly instance: number;
	readonly text: string;
}

/** The last lines of one server, oldest first, and whoever follows them. */
export class LineRing {
	readonly #clock: Clock;
	readonly #redactor: Redactor;
	readonly #ring: LogLine[] = [];
	readonly #followers = new Set<(line: LogLine) => void>();
	/** Those that are in the middle of a key, by instance and source. */
	readonly #keys = new Map<string, KeyLines>();
	#next = 0;

	constructor(clock: Clock, redactor: Redactor) {
		this.#clock = clock;
		this.#redactor = redactor;
	}

	/** Keeps a line without its secrets, drops the oldest of too many, and tells the followers. */
	push(source: LineStream, instance: number, text: string): void {
		const line: LogLine = Object.freeze({
			time_ms: this.#clock.now(),
			source,
			instance,
			text: shorten(this.#withoutKey(source, instance, text), this.#redactor),
		});
		this.#ring[this.#next] = line;
		this.#next = (this.#next + 1) % lines_max;
		for (const follower of [...this.#followers]) follower(line);
	}

	#withoutKey(source: LineStream, instance: number, text: string): string {
		if (this.#keys.size === 0 && !isOpen(text)) return text;
		const name = `${source} ${instance}`;
		const key = this.#keys.get(name) ?? new KeyLines(redacted);
		const rest = key.next(text);
		this.#keys.delete(name);
		if (key.is_inside) this.#keys.set(name, key);
		const [oldest] = this.#keys.keys();
		if (this.#keys.size > keys_max && oldest !== undefined) this.#keys.delete(oldest);
		return rest;
	}

	/** The kept lines, oldest first. */
	all(): readonly LogLine[] {
		if (this.#ring.length < lines_max) return this.#ring.slice();
		return [...this.#ring.slice(this.#next), ...this.#ring.slice(0, this.#next)];
	}

	/**
	 * Calls the listener for every line from now on; the returned function ends that. Beyond
	 * the limit the follower that has been there longest is dropped.
	 */
	follow(listener: (line: LogLine) => void): () => void {
		// A wrapper, so that following twice with one function gives two followers.
		const follower = (line: LogLine) => listener(line);
		for (const oldest of this.#followers) {
			if (this.#followers.size < followers_max) break;
			this.#followers.delete(oldest);
		}
		this.#followers.add(follower);
		return () => {
			this.#followers.delete(follower);
		};
	}
}

/** At most `line_bytes_max` bytes of UTF-8, as a string that shares no memory with its source. */
function shorten(whole: string, redactor: Redactor): string {
	const too_long = whole.length > line_bytes_max;
	const text = redactedHead(redactor, whole, line_bytes_max);
	// A string cut from a bigger one keeps the bigger one alive; going through bytes copies.
	const bytes = Buffer.from(text, "utf8");
	if (bytes.length <= line_bytes_max && !too_long) return bytes.toString();
	const ellipsis = "…";
	let end = Math.min(bytes.length, line_bytes_max - Buffer.byteLength(ellipsis));
	// Never in the middle of a character: continuation bytes are 10xxxxxx.
	while (end > 0 && ((bytes[end] ?? 0) & 0xc0) === 0x80) end -= 1;
	return bytes.toString("utf8", 0, end) + ellipsis;
}
