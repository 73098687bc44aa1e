import type { Clock } from "../lib/clock.ts";
import { type Redactor, redactedHead } from "../secrets/redactor.ts";

/** Kinds of oddities that are remembered of one server; the one seen longest ago makes room. */
export const kinds_max = 16;
/** Each of a kind is told up to this many; from then on only every doubling is. */
export const told_max = 20;
/** Longest text that is shown. */
export const text_chars_max = 500;
/** Longest text that is kept: a secret has to be whole to be found. */
const kept_chars_max = 5_000;

/** Something that no server should do, and how often this one did it. */
export interface Oddity {
	/** The last one of its kind: it continues "it ...", or is a sentence. */
	readonly text: string;
	readonly count: number;
	/** Wall-clock milliseconds. */
	readonly last_at_ms: number;
}

/**
 * What one server did that no server should. A server may do so a hundred thousand times a second:
 * what differs in numbers and quoted names only is one kind, and only counted.
 */
export class Oddities {
	readonly #clock: Clock;
	readonly #redactor: Redactor;
	readonly #kinds = new Map<string, Oddity>();

	constructor(clock: Clock, redactor: Redactor) {
		this.#clock = clock;
		this.#redactor = redactor;
	}

	/** Counts one; gives back what the log should say of it, if anything. */
	count(text: string): string | undefined {
		const short = text.slice(0, kept_chars_max);
		const kind = short.slice(0, text_chars_max).replaceAll(/"[^"]*"|\d+/g, "*");
		const count = (this.#kinds.get(kind)?.count ?? 0) + 1;
		this.#kinds.delete(kind);
		this.#kinds.set(kind, { text: short, count, last_at_ms: this.#clock.now() });
		const [oldest] = this.#kinds.keys();
		if (this.#kinds.size > kinds_max && oldest !== undefined) this.#kinds.delete(oldest);
		if (count <= told_max) return text;
		return (count & (count - 1)) === 0 ? `${text} (${count} times by now)` : undefined;
	}

	/** All that is remembered, the latest last, without secrets. */
	all(): readonly Oddity[] {
		return [...this.#kinds.values()].map((oddity) => ({
			...oddity,
			text: redactedHead(this.#redactor, oddity.text, text_chars_max),
		}));
	}
}
