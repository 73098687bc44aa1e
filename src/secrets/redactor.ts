import { FormFinder, type KnownForm } from "./form-finder.ts";
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
	/** How many values it was told so far. */
	readonly changes: number;
	/** What happened since the news of this `version`; everything where that is not known now. */
	newsSince(version: number | undefined): RedactorNews;
}

/** What is to be done with each value that something happened to. */
export interface RedactorNews {
	/** What to ask with the next time. */
	readonly version: number;
	/** Whether these are all values there are, and others good for nothing any more. */
	readonly are_all: boolean;
	readonly values: readonly string[];
	readonly tokens: readonly string[];
	readonly forgotten: readonly string[];
}

/** Tokens that are renewed all the time: they are known apart from the values of the vault. */
export interface KnownTokens {
	/** As `SecretRedactor.add`. */
	add(value: string): boolean;
	/** For what is not good for anything any more, such as a token that has been renewed twice. */
	forget(value: string): void;
}

/** Told when there are too many: of what kind, and how many of it are not redacted any more. */
export type OnEvicted = (kind: SecretKind, evicted: number) => void;
/** Values are of the vault and of configurations, tokens of people's accounts. */
export type SecretKind = "value" | "token";

/** Most of a kind known at a time; beyond it the one that was told least recently is forgotten. */
export const values_max = 20_000;
export const tokens_max = 60_000;
/** Changes that can still be told of one by one. */
const journal_max = 4_096;
/** Deepest nesting of values that `json` looks into. */
const depth_max = 64;

const marker = Buffer.from(redacted);
const scratch = Buffer.alloc(64 * 1024);
/** UTF-8 has at most three bytes for a unit of a JavaScript text. */
const scratch_chars_max = Math.floor(scratch.length / 3);

/** The redactor of a process, which is told every value that is handed out. */
export class SecretRedactor implements Redactor, KnownSecrets, Finder {
	/** Tokens never take the place of values, nor values that of tokens. */
	readonly tokens: KnownTokens = {
		add: (value) => this.#add("token", value),
		forget: (value) => this.#forget("token", value),
	};
	readonly #onEvicted: OnEvicted;
	/** The forms of each, in the order in which they were told of last. */
	readonly #known = {
		value: new Map<string, readonly KnownForm[]>(),
		token: new Map<string, readonly KnownForm[]>(),
	};
	readonly #evicted = { value: 0, token: 0 };
	readonly #finder = new FormFinder();
	#changes = 0;
	/** What happened last, and the version before the first of it. */
	readonly #journal: { readonly value: string; readonly kind: SecretKind | "forgotten" }[] = [];
	#journal_from = 0;

	/** `onEvicted` is called for each value that makes room for another. */
	constructor(onEvicted: OnEvicted = () => undefined) {
		this.#onEvicted = onEvicted;
	}

	/** How many values it was told so far. */
	get changes(): number {
		return this.#changes;
	}

	/**
	 * From now on the value is redacted; it stays so when a new one takes its place. False when it
	 * is too short to be looked for.
	 */
	add(value: string): boolean {
		return this.#add("value", value);
	}

	/** Shows a value again. */
	forget(value: string): void {
		this.#forget("value", value);
		this.#forget("token", value);
	}

	newsSince(version: number | undefined): RedactorNews {
		const now = this.#journal_from + this.#journal.length;
		if (version === undefined || version < this.#journal_from) {
			const { value, token } = this.#known;
			const all = { values: [...value.keys()], tokens: [...token.keys()], forgotten: [] };
			return { version: now, are_all: true, ...all };
		}
		// Of each value what happened to it last.
		const last = new Map<string, SecretKind | "forgotten">();
		for (const { value, kind } of this.#journal.slice(version - this.#journal_from)) {
			last.set(value, kind);
		}
		const of = (wanted: string) => [...last].flatMap(([one, kind]) => (kind === wanted ? one : []));
		const some = { values: of("value"), tokens: of("token"), forgotten: of("forgotten") };
		return { version: now, are_all: false, ...some };
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
		return this.#finder.find(bytes, length);
	}

	heldBytes(bytes: Buffer): number {
		return this.#finder.heldBytes(bytes);
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

	#add(kind: SecretKind, value: string): boolean {
		const known = this.#known[kind];
		const before = known.get(value);
		if (before !== undefined) {
			// It is in use: others are to be forgotten before it.
			known.delete(value);
			known.set(value, before);
			return true;
		}
		// What is known as a value needs not be known as a token as well.
		if (kind === "token" && this.#known.value.has(value)) return true;
		const forms = secretForms(value, kind === "value" ? "all" : "fewer");
		if (forms.length === 0) return false;
		const is_new = !this.#known.token.has(value);
		known.set(
			value,
			forms.map((form) => this.#finder.add(form)),
		);
		if (!is_new) this.#drop("token", value);
		else this.#changes += 1;
		this.#note(value, kind);
		if (known.size > (kind === "value" ? values_max : tokens_max)) this.#evict(kind);
		return true;
	}

	#evict(kind: SecretKind): void {
		const [oldest] = this.#known[kind].keys();
		if (oldest !== undefined) this.#forget(kind, oldest);
		this.#evicted[kind] += 1;
		this.#onEvicted(kind, this.#evicted[kind]);
	}

	#forget(kind: SecretKind, value: string): void {
		if (this.#drop(kind, value)) this.#note(value, "forgotten");
	}

	#drop(kind: SecretKind, value: string): boolean {
		for (const form of this.#known[kind].get(value) ?? []) this.#finder.remove(form);
		return this.#known[kind].delete(value);
	}

	#note(value: string, kind: SecretKind | "forgotten"): void {
		this.#journal.push({ value, kind });
		if (this.#journal.length <= 2 * journal_max) return;
		this.#journal.splice(0, journal_max);
		this.#journal_from += journal_max;
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
