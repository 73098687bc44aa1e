/** What stands in the log in place of a secret. */
export const redacted = "[redacted]";

/** Longest text, most members of an object or a list, and deepest nesting that is written. */
export const text_chars_max = 8_192;
export const members_max = 100;
export const depth_max = 4;

/** A key with one of these words in it names a secret. */
const secret_words = new Set([
	"authorization",
	"bearer",
	"cookie",
	"cookies",
	"credential",
	"credentials",
	"jwt",
	"passphrase",
	"passwd",
	"password",
	"passwords",
	"secret",
	"secrets",
	"token",
	"tokens",
]);

/** And so does one with one of these pairs of words. */
const secret_pairs = /(^| )(api|access|private|signing|encryption|master) ?keys?( |$)/;

/** Members a line has of its own; a field of that name gets an underscore. */
const reserved = new Set(["level", "time", "message"]);

/**
 * A copy of the fields that is safe to write: secrets masked by the name of their key, long
 * texts and lists cut, errors and bytes described, nothing deeper than `depth_max`.
 */
export function redactFields(fields: object): Record<string, unknown> {
	return redactMembers(entriesOf(fields), 1, (key) => (reserved.has(key) ? `${key}_` : key));
}

/** Masks credentials within a text: those of a URL, and bearer tokens. */
export function redactText(text: string): string {
	const cut = text.length > text_chars_max ? `${text.slice(0, text_chars_max)}…` : text;
	if (!/:\/\/|bearer/i.test(cut)) return cut;
	return cut
		.replace(/(:\/\/[^\s/:@]*:)[^\s/@]+@/g, `$1${redacted}@`)
		.replace(/\b(bearer)\s+[\w.~+/=-]{12,}/gi, `$1 ${redacted}`);
}

/** True when a key's words say that its value is secret: `accessToken`, `X-Api-Key`. */
export function namesSecret(key: string): boolean {
	const known = verdicts.get(key);
	if (known !== undefined) return known;
	if (verdicts.size >= verdicts_max) verdicts.clear();
	const verdict = wordsNameSecret(key);
	verdicts.set(key, verdict);
	return verdict;
}

/** The same few hundred keys come by all the time. */
const verdicts = new Map<string, boolean>();
const verdicts_max = 2_000;

function wordsNameSecret(key: string): boolean {
	const words = key
		.slice(0, 200)
		.replace(/([a-z0-9])([A-Z])/g, "$1 $2")
		.toLowerCase()
		.replace(/[^a-z0-9]+/g, " ");
	return words.split(" ").some((word) => secret_words.has(word)) || secret_pairs.test(words);
}

function redactMembers(
	entries: readonly (readonly [string, unknown])[],
	depth: number,
	rename: (key: string) => string = (key) => key,
): Record<string, unknown> {
	const safe: Record<string, unknown> = {};
	for (const [key, value] of entries.slice(0, members_max)) {
		const masked = namesSecret(key) && value !== undefined && value !== null && value !== "";
		const shown = masked && typeof value !== "boolean" ? redacted : redactValue(value, depth + 1);
		if (key === "__proto__") defineMember(safe, key, shown);
		else safe[rename(key)] = shown;
	}
	return safe;
}

/** Assigning to this key would set the prototype. */
function defineMember(target: object, key: string, value: unknown): void {
	Object.defineProperty(target, key, { value, enumerable: true });
}

function redactValue(value: unknown, depth: number): unknown {
	switch (typeof value) {
		case "string":
			return redactText(value);
		case "number":
		case "boolean":
		case "undefined":
			return value;
		case "bigint":
			return String(value);
		case "object":
			return value === null ? null : redactObject(value, depth);
		default:
			return undefined;
	}
}

function redactObject(value: object, depth: number): unknown {
	if (ArrayBuffer.isView(value)) return `[${value.byteLength} bytes]`;
	if (value instanceof Date) return Number.isNaN(value.getTime()) ? null : value.toISOString();
	if (value instanceof URL) return redactText(value.href);
	if (depth > depth_max) return value instanceof Error ? redactText(value.message) : "[…]";
	if (value instanceof Error) return redactMembers(errorEntries(value), depth);
	if (Array.isArray(value) || value instanceof Set) {
		return [...value].slice(0, members_max).map((item) => redactValue(item, depth + 1));
	}
	return redactMembers(entriesOf(value), depth);
}

function errorEntries(error: Error): [string, unknown][] {
	const { name, message, stack, cause } = error;
	const { code } = error as { code?: unknown };
	return Object.entries({ type: name, message, code, stack, cause });
}

function entriesOf(value: object): [string, unknown][] {
	if (value instanceof Map) return [...value].map(([key, member]) => [String(key), member]);
	try {
		return Object.entries(value);
	} catch {
		// A getter that throws must not take the log line along.
		return [["unreadable", true]];
	}
}
