import { BlockMatcher } from "./block-matcher.ts";
import { namesSecret } from "./key-names.ts";
import {
	type ByteRedaction,
	type Finder,
	type Found,
	type Range,
	RedactionStream,
} from "./redaction-stream.ts";
import { piece_bytes_max, secretForms, value_bytes_min } from "./secret-forms.ts";
import { token_patterns } from "./token-patterns.ts";

/** What stands in the place of a secret. */
export const redacted = "[redacted]";

/**
 * Takes secrets out of whatever is written down or shown: first the exact values that are known,
 * in all their forms; then what stands under the name of a secret; then what looks like a token of
 * a well-known service.
 */
export interface Redactor {
	/** How many values it was told so far: what was redacted before may hold a new one. */
	readonly changes: number;
	/** The text itself where there is nothing to redact. */
	text(value: string): string;
	/** The same buffer where there is nothing to redact. */
	bytes(value: Buffer): Buffer;
	/** A copy of what JSON can hold: texts, names and members named like secrets are redacted. */
	json(value: unknown): unknown;
	/** For what comes in chunks: a secret that is split between them is found. */
	stream(): ByteRedaction;
}

/** What others need who take the same values out somewhere else. */
export interface KnownSecrets {
	/** How many values it was told so far, and how many of them it was told to forget. */
	readonly changes: number;
	readonly forgotten: number;
	/** Those that it was told when there were `changes` of them already, and still knows. */
	valuesSince(changes: number): readonly string[];
}

/** Most values known at a time; beyond it the one that was added first is forgotten. */
export const values_max = 20_000;
/** Deepest nesting of values that `json` looks into. */
const depth_max = 64;

const keywords = token_patterns.flatMap(({ keywords }, index) =>
	keywords.map((keyword) => ({ bytes: Buffer.from(keyword), pattern: index })),
);
const marker = Buffer.from(redacted);
const scratch = Buffer.alloc(64 * 1024);
/** UTF-8 has at most three bytes for a unit of a JavaScript text. */
const scratch_chars_max = Math.floor(scratch.length / 3);

/** A value that is looked for, and which of all that were ever added it is. */
interface Known {
	readonly forms: readonly Buffer[];
	readonly change: number;
}

/** The redactor of a process, which is told every value that is handed out. */
export class SecretRedactor implements Redactor, KnownSecrets, Finder {
	/** Forms by value, in the order in which the values were added. */
	readonly #values = new Map<string, Known>();
	#matchers: Matchers | undefined;
	#changes = 0;
	#forgotten = 0;

	/** How many values it was told so far. */
	get changes(): number {
		return this.#changes;
	}

	/** How many values it was told to forget. */
	get forgotten(): number {
		return this.#forgotten;
	}

	/**
	 * From now on the value is redacted; it stays so when a new one takes its place. False when it
	 * is too short to be looked for.
	 */
	add(value: string): boolean {
		if (this.#values.has(value)) return true;
		const forms = secretForms(value);
		if (forms.length === 0) return false;
		if (this.#values.size >= values_max) {
			for (const oldest of this.#values.keys()) {
				this.#values.delete(oldest);
				break;
			}
		}
		this.#matchers = undefined;
		this.#changes += 1;
		this.#values.set(value, { forms, change: this.#changes });
		return true;
	}

	valuesSince(changes: number): readonly string[] {
		return [...this.#values].flatMap(([value, { change }]) => (change > changes ? [value] : []));
	}

	/** For what is not good for anything any more, such as a token that has been renewed twice. */
	forget(value: string): void {
		if (!this.#values.delete(value)) return;
		this.#matchers = undefined;
		this.#forgotten += 1;
	}

	text(value: string): string {
		if (value.length < value_bytes_min) return value;
		const bytes = value.length <= scratch_chars_max ? scratch : Buffer.from(value);
		const length = bytes === scratch ? scratch.write(value) : bytes.length;
		const { ranges, patterns } = this.find(bytes, length);
		const known = ranges.length === 0 ? value : mask(bytes, 0, length, ranges).toString();
		return patterns.size === 0 ? known : maskPatterns(known, patterns);
	}

	bytes(value: Buffer): Buffer {
		return this.redact(value, 0, value.length, this.find(value, value.length));
	}

	json(value: unknown): unknown {
		return this.#json(value, 0);
	}

	stream(): ByteRedaction {
		return new RedactionStream(this);
	}

	find(bytes: Uint8Array, length: number): Found {
		return this.#matchersNow().find(bytes, length);
	}

	heldBytes(bytes: Buffer): number {
		return this.#matchersNow().heldBytes(bytes);
	}

	redact(bytes: Buffer, from: number, to: number, { ranges, patterns }: Found): Buffer {
		const whole = from === 0 && to === bytes.length ? bytes : bytes.subarray(from, to);
		const known = ranges.length === 0 ? whole : mask(bytes, from, to, ranges);
		if (patterns.size === 0) return known;
		// As latin1 every byte is one character: patterns are ASCII, and all else is kept.
		const text = known.toString("latin1");
		const safe = maskPatterns(text, patterns);
		return safe === text ? known : Buffer.from(safe, "latin1");
	}

	#matchersNow(): Matchers {
		this.#matchers ??= new Matchers([...this.#values.values()].flatMap(({ forms }) => forms));
		return this.#matchers;
	}

	#json(value: unknown, depth: number): unknown {
		switch (typeof value) {
			case "string":
				return this.text(value);
			case "number":
			case "bigint": {
				const text = String(value);
				return this.text(text) === text ? value : redacted;
			}
			case "object":
				break;
			default:
				return value;
		}
		if (value === null) return null;
		if (depth >= depth_max) return "[…]";
		if (Array.isArray(value)) return value.map((item) => this.#json(item, depth + 1));
		const members = Object.entries(value).map(([name, member]: [string, unknown]) => {
			const shown = isMasked(name, member) ? redacted : this.#json(member, depth + 1);
			return [this.text(name), shown] as const;
		});
		return Object.fromEntries(members);
	}
}

/**
 * A redacted text of at most `chars_max` characters. It is redacted before it is cut, because half
 * a secret is found nowhere.
 */
export function redactedHead(
	redactor: Pick<Redactor, "text">,
	text: string,
	chars_max: number,
): string {
	if (text.length <= chars_max) return redactor.text(text);
	const spare = 2 * piece_bytes_max;
	const safe = redactor.text(text.slice(0, chars_max + spare));
	if (text.length <= chars_max + spare) return safe.slice(0, chars_max);
	return safe.slice(0, Math.min(chars_max, Math.max(0, safe.length - spare)));
}

/** What says only that a secret is there, or how many tokens a model used, is let through. */
function isMasked(name: string, value: unknown): boolean {
	if (value === undefined || value === null || value === "" || typeof value === "boolean") {
		return false;
	}
	if (typeof value === "number" && /tokens$/i.test(name)) return false;
	return namesSecret(name);
}

const nothing_found: Found = Object.freeze({ ranges: [], patterns: new Set<number>() });

/** What looks for a set of forms, and the beginnings of tokens along with them. */
class Matchers {
	readonly #long: BlockMatcher;
	readonly #short: BlockMatcher;
	readonly #short_forms: number;
	/** The forms in the order of their bytes. */
	readonly #sorted: readonly Buffer[];
	readonly #longest: number;
	readonly #first_bytes = new Uint8Array(256);
	/** What a search has found so far. */
	#found: { readonly ranges: Range[]; readonly patterns: Set<number> } | undefined;

	constructor(forms: readonly Buffer[]) {
		const all = unique(forms);
		const short = all.filter((form) => form.length < 8);
		this.#long = new BlockMatcher(
			all.filter((form) => form.length >= 8),
			8,
		);
		this.#short = new BlockMatcher([...short, ...keywords.map(({ bytes }) => bytes)], 4);
		this.#short_forms = short.length;
		this.#sorted = all;
		this.#longest = all.reduce((longest, { length }) => Math.max(longest, length), 0);
		for (const form of all) this.#first_bytes[form[0] ?? 0] = 1;
	}

	find(bytes: Uint8Array, length: number): Found {
		this.#long.find(bytes, length, this.#onValue);
		this.#short.find(bytes, length, this.#onShort);
		const found = this.#found;
		// Nearly always nothing is there: nothing is made for it.
		if (found === undefined) return nothing_found;
		this.#found = undefined;
		return { ranges: merged(found.ranges), patterns: found.patterns };
	}

	readonly #onValue = (start: number, end: number): void => {
		this.#found ??= { ranges: [], patterns: new Set() };
		this.#found.ranges.push([start, end]);
	};

	readonly #onShort = (start: number, end: number, index: number): void => {
		const keyword = keywords[index - this.#short_forms];
		if (keyword === undefined) return this.#onValue(start, end);
		this.#found ??= { ranges: [], patterns: new Set() };
		this.#found.patterns.add(keyword.pattern);
	};

	heldBytes(bytes: Buffer): number {
		for (let held = Math.min(this.#longest - 1, bytes.length); held > 0; held -= 1) {
			const start = bytes.length - held;
			if (this.#first_bytes[bytes[start] ?? 0] === 1 && this.#begins(bytes, start)) return held;
		}
		return 0;
	}

	/** Whether a form begins with all that stands from `start` on, and goes on. */
	#begins(bytes: Buffer, start: number): boolean {
		let [low, high] = [0, this.#sorted.length];
		while (low < high) {
			const middle = (low + high) >> 1;
			const order = (this.#sorted[middle] as Buffer).compare(bytes, start);
			if (order <= 0) low = middle + 1;
			else high = middle;
		}
		const next = this.#sorted[low];
		const length = bytes.length - start;
		if (next === undefined || next.length <= length) return false;
		return next.compare(bytes, start, bytes.length, 0, length) === 0;
	}
}

/** In the order of their bytes, each one once. */
function unique(forms: readonly Buffer[]): Buffer[] {
	const sorted = forms.toSorted((a, b) => a.compare(b));
	return sorted.filter((form, index) => index === 0 || !form.equals(sorted[index - 1] as Buffer));
}

function merged(found: Range[]): Range[] {
	if (found.length < 2) return found;
	found.sort(([a], [b]) => a - b);
	const ranges: Range[] = [];
	for (const [start, end] of found) {
		const last = ranges.at(-1);
		if (last !== undefined && start <= last[1]) last[1] = Math.max(last[1], end);
		else ranges.push([start, end]);
	}
	return ranges;
}

/** Bytes `from` to `to` with a marker in the place of each range. */
function mask(bytes: Uint8Array, from: number, to: number, ranges: readonly Range[]): Buffer {
	const parts: Uint8Array[] = [];
	let at = from;
	for (const [start, end] of ranges) {
		if (end <= at) continue;
		if (start >= to) break;
		parts.push(bytes.subarray(at, Math.max(at, start)), marker);
		at = Math.min(end, to);
	}
	parts.push(bytes.subarray(at, to));
	return Buffer.concat(parts);
}

function maskPatterns(text: string, patterns: ReadonlySet<number>): string {
	let safe = text;
	for (const index of [...patterns].sort((a, b) => a - b)) {
		const known = token_patterns[index];
		if (known === undefined || !safe.includes(known.sign ?? "")) continue;
		safe = safe.replace(known.pattern, (_match, kept: unknown) =>
			typeof kept === "string" ? kept + redacted : redacted,
		);
	}
	return safe;
}
