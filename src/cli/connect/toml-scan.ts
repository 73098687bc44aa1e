/**
 * Where the statements of a TOML document are. The document is known to be valid (it has been
 * parsed before), so only as much of the grammar is read as it takes to find the ends of
 * strings, arrays, inline tables and comments (toml.io/en/v1.0.0).
 */

/** A table header or a key with its value, with the line it ends on. */
export interface TomlStatement {
	readonly kind: "table" | "array_table" | "pair";
	/** The keys of a header, or of the left side of a pair. */
	readonly keys: readonly string[];
	/** From its first character ... */
	readonly start: number;
	/** ... to behind the line break that ends it, comment included. */
	readonly end: number;
}

/** All statements of a valid document, in order. */
export function scanToml(text: string): TomlStatement[] {
	const statements: TomlStatement[] = [];
	let at = 0;
	while (at < text.length) {
		const start = skipBlank(text, at);
		if (start >= text.length) break;
		if (text[start] === "\n" || text[start] === "\r") {
			at = start + 1;
			continue;
		}
		if (text[start] === "#") {
			at = lineEnd(text, start);
			continue;
		}
		const brackets = text.startsWith("[[", start) ? 2 : text[start] === "[" ? 1 : 0;
		const { keys } = readKeys(text, start + brackets);
		const end = statementEnd(text, start);
		const kind = (["pair", "table", "array_table"] as const)[brackets] ?? "pair";
		statements.push({ kind, keys, start, end });
		at = end;
	}
	return statements;
}

function skipBlank(text: string, from: number): number {
	let at = from;
	while (text[at] === " " || text[at] === "\t") at += 1;
	return at;
}

/** Behind the next line break, or the end of the text. */
function lineEnd(text: string, from: number): number {
	const at = text.indexOf("\n", from);
	return at === -1 ? text.length : at + 1;
}

function readKeys(text: string, from: number): { keys: string[]; end: number } {
	const keys: string[] = [];
	let at = skipBlank(text, from);
	for (;;) {
		const quote = text[at];
		if (quote === '"' || quote === "'") {
			const end = stringEnd(text, at);
			const inner = text.slice(at + 1, end - 1);
			keys.push(quote === "'" ? inner : basicString(inner));
			at = end;
		} else {
			const bare = /^[A-Za-z0-9_-]*/.exec(text.slice(at, at + 1000))?.[0] ?? "";
			keys.push(bare);
			at += bare.length;
		}
		at = skipBlank(text, at);
		if (text[at] !== ".") return { keys, end: at };
		at = skipBlank(text, at + 1);
	}
}

/** A basic string without its quotes, decoded; TOML's escapes are JSON's and `\U` with 8 digits. */
function basicString(inner: string): string {
	const json = inner.replaceAll(/\\U([0-9A-Fa-f]{8})/g, (_, digits: string) =>
		String.fromCodePoint(Number.parseInt(digits, 16)),
	);
	try {
		return JSON.parse(`"${json}"`) as string;
	} catch {
		return inner;
	}
}

/** Behind the line on which the statement ends: brackets may hold line breaks, strings anything. */
function statementEnd(text: string, start: number): number {
	let depth = 0;
	let at = start;
	while (at < text.length) {
		const char = text[at];
		if (char === '"' || char === "'") {
			at = stringEnd(text, at);
			continue;
		}
		if (char === "#") {
			if (depth === 0) return lineEnd(text, at);
			at = lineEnd(text, at);
			continue;
		}
		if (char === "[" || char === "{") depth += 1;
		if (char === "]" || char === "}") depth -= 1;
		at += 1;
		if (char === "\n" && depth === 0) return at;
	}
	return text.length;
}

/** Behind the string that starts at `start`. */
function stringEnd(text: string, start: number): number {
	const quote = text[start] as string;
	const triple = quote.repeat(3);
	const long = text.startsWith(triple, start);
	let at = start + (long ? 3 : 1);
	while (at < text.length) {
		if (quote === '"' && text[at] === "\\") {
			at += 2;
			continue;
		}
		if (!long && text[at] === quote) return at + 1;
		if (long && text.startsWith(triple, at)) {
			// Up to two quotes may stand right before the closing three.
			let end = at + 3;
			while (end < at + 5 && text[end] === quote) end += 1;
			return end;
		}
		at += 1;
	}
	return text.length;
}
