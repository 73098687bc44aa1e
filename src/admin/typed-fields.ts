import type { Clock } from "../lib/clock.ts";

/** Fields of a form by their name. */
export type Fields = Readonly<Record<string, string>>;

interface Kept {
	readonly fields: Fields;
	readonly until_ms: number;
}

const kept_ms = 10 * 60_000;
const kept_max = 500;
const chars_max = 16 * 1024;

/**
 * What people have typed into a form that could not be taken, because they had to sign in first. It
 * is kept for one browser and one page, for a while and in memory alone.
 */
export class TypedFields {
	readonly #clock: Clock;
	/** By browser and page; the oldest first. */
	readonly #kept = new Map<string, Kept>();

	constructor(clock: Clock) {
		this.#clock = clock;
	}

	/** `browser` is a token that only that browser has. */
	keep(browser: string, page: string, fields: Fields): void {
		const chars = Object.values(fields).reduce((sum, { length }) => sum + length, 0);
		if (chars > chars_max) return;
		const key = keyOf(browser, page);
		this.#kept.delete(key);
		this.#kept.set(key, { fields, until_ms: this.#clock.monotonic() + kept_ms });
		const [oldest] = this.#kept.keys();
		if (this.#kept.size > kept_max && oldest !== undefined) this.#kept.delete(oldest);
	}

	/** What was kept, once. */
	take(browser: string, page: string): Fields | undefined {
		const key = keyOf(browser, page);
		const kept = this.#kept.get(key);
		this.#kept.delete(key);
		return kept !== undefined && kept.until_ms > this.#clock.monotonic() ? kept.fields : undefined;
	}

	/** A browser has got another token. */
	move(from: string | undefined, to: string): void {
		if (from === undefined) return;
		for (const [key, kept] of [...this.#kept]) {
			if (!key.startsWith(`${from} `)) continue;
			this.#kept.delete(key);
			this.#kept.set(to + key.slice(from.length), kept);
		}
	}
}

function keyOf(browser: string, page: string): string {
	return `${browser} ${page}`;
}
