import { namesSecret } from "../secrets/key-names.ts";
import { type Redactor, redacted, redactedHead } from "../secrets/redactor.ts";

/** Longest text, most members of an object or a list, and deepest nesting that is written. */
export const text_chars_max = 8_192;
export const members_max = 100;
export const depth_max = 4;

/** Members a line has of its own; a field of that name gets an underscore. */
const reserved = new Set(["level", "time", "message"]);

/**
 * A copy of the fields that is safe to write: what the redactor finds and what stands under the
 * name of a secret masked, long texts and lists cut, errors and bytes described, nothing deeper
 * than `depth_max`.
 */
export function redactFields(redactor: Redactor, fields: object): Record<string, unknown> {
	const rename = (key: string) => (reserved.has(key) ? `${key}_` : key);
	return redactMembers(redactor, entriesOf(fields), 1, rename);
}

/** A text of bounded length without secrets. */
export function redactText(redactor: Redactor, text: string): string {
	const safe = redactedHead(redactor, text, text_chars_max);
	return text.length > text_chars_max ? `${safe}…` : safe;
}

function redactMembers(
	redactor: Redactor,
	entries: readonly (readonly [string, unknown])[],
	depth: number,
	rename: (key: string) => string = (key) => key,
): Record<string, unknown> {
	const safe: Record<string, unknown> = {};
	for (const [key, value] of entries.slice(0, members_max)) {
		const masked = namesSecret(key) && value !== undefined && value !== null && value !== "";
		const shown =
			masked && typeof value !== "boolean" ? redacted : redactValue(redactor, value, depth + 1);
		if (key === "__proto__") defineMember(safe, key, shown);
		else safe[rename(key)] = shown;
	}
	return safe;
}

/** Assigning to this key would set the prototype. */
function defineMember(target: object, key: string, value: unknown): void {
	Object.defineProperty(target, key, { value, enumerable: true });
}

function redactValue(redactor: Redactor, value: unknown, depth: number): unknown {
	switch (typeof value) {
		case "string":
			return redactText(redactor, value);
		case "number":
		case "bigint":
			return redactNumber(redactor, value);
		case "boolean":
		case "undefined":
			return value;
		case "object":
			return value === null ? null : redactObject(redactor, value, depth);
		default:
			return undefined;
	}
}

function redactNumber(redactor: Redactor, value: number | bigint): unknown {
	const text = String(value);
	if (redactor.text(text) !== text) return redacted;
	return typeof value === "number" ? value : text;
}

function redactObject(redactor: Redactor, value: object, depth: number): unknown {
	if (ArrayBuffer.isView(value)) return `[${value.byteLength} bytes]`;
	if (value instanceof Date) return Number.isNaN(value.getTime()) ? null : value.toISOString();
	if (value instanceof URL) return redactText(redactor, value.href);
	if (depth > depth_max)
		return value instanceof Error ? redactText(redactor, value.message) : "[…]";
	if (value instanceof Error) return redactMembers(redactor, errorEntries(value), depth);
	if (Array.isArray(value) || value instanceof Set) {
		return [...value].slice(0, members_max).map((item) => redactValue(redactor, item, depth + 1));
	}
	return redactMembers(redactor, entriesOf(value), depth);
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
