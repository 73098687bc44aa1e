import { type Node, type ParseError, parseTree, printParseErrorCode } from "jsonc-parser";
import { type Located, type LocatedEntry, tree_limits } from "./located.ts";
import { type Report, reportKey } from "./report.ts";

/** What each of the parser's codes means to a person. */
const syntax_sentences: Readonly<Record<string, readonly [message: string, next: string]>> = {
	InvalidSymbol: ["This is not a JSON value.", "Put text and keys in double quotes."],
	PropertyNameExpected: ["A key in double quotes is expected here.", 'Write it as `"key":`.'],
	ValueExpected: ["A value is missing here.", "Write one, or remove the key."],
	ColonExpected: ["A colon is missing here.", "Put `:` between the key and its value."],
	CommaExpected: ["A comma is missing before this.", "Put `,` between the two."],
	CloseBraceExpected: ["A closing `}` is missing.", "Add it."],
	CloseBracketExpected: ["A closing `]` is missing.", "Add it."],
	EndOfFileExpected: ["There is more text behind the end of the JSON.", "Remove it."],
	UnexpectedEndOfComment: ["The comment is not closed.", "Close it with `*/`."],
	UnexpectedEndOfString: ["The text is not closed on its line.", 'Close it with `"`.'],
	InvalidEscapeCharacter: ["An unknown backslash sequence.", "Write the backslash twice."],
	InvalidCharacter: ["A control character stands in the text.", "Write it as an escape."],
};

/** Reads JSON with comments and trailing commas; undefined when there is no usable tree. */
export function readJson(report: Report): Located | undefined {
	const { text } = report.source;
	if (text.trim() === "") {
		report.problem(0, "The file is empty.", 'Write `{ "mcpServers": {} }` into it.');
		return undefined;
	}
	const errors: ParseError[] = [];
	const root = parseTree(text, errors, { allowTrailingComma: true });
	// The first error is the real one; what follows it is mostly its echo.
	const first = errors[0];
	if (first !== undefined || root === undefined) {
		const code = first === undefined ? "" : printParseErrorCode(first.error);
		const [message, next] = syntax_sentences[code] ?? [
			"This is not valid JSON.",
			"Correct it here.",
		];
		report.problem(first?.offset ?? 0, message, next);
		return undefined;
	}
	return readNode(report, root, 0);
}

function readNode(report: Report, node: Node, depth: number): Located | undefined {
	if (depth > tree_limits.depth_max) {
		report.problem(node.offset, "The file is nested too deeply.", "Write it more simply.");
		return undefined;
	}
	const { text } = report.source;
	if (node.type === "object") return readObject(report, node, depth);
	if (node.type === "array") {
		const items = (node.children ?? []).map((child) => readNode(report, child, depth + 1));
		return {
			kind: "list",
			start: node.offset,
			items: items.filter((item) => item !== undefined),
		};
	}
	if (typeof node.value === "string") {
		const start = node.offset;
		const exact = text.startsWith(node.value, start + 1) ? start + 1 : undefined;
		return { kind: "scalar", start, value: node.value, text: node.value, exact };
	}
	return {
		kind: "scalar",
		start: node.offset,
		value: node.value as number | boolean | null,
		text: text.slice(node.offset, node.offset + node.length),
		exact: node.offset,
	};
}

function readObject(report: Report, node: Node, depth: number): Located {
	const entries: LocatedEntry[] = [];
	const seen = new Map<string, number>();
	for (const property of node.children ?? []) {
		const [key_node, value_node] = property.children ?? [];
		if (key_node === undefined || value_node === undefined) continue;
		const key = String(key_node.value);
		const key_start = key_node.offset;
		if (key === "__proto__" || seen.has(key)) {
			reportKey(report, key, key_start, seen.get(key));
			continue;
		}
		seen.set(key, key_start);
		const value = readNode(report, value_node, depth + 1);
		if (value !== undefined) entries.push({ key, key_start, value });
	}
	return { kind: "map", start: node.offset, entries };
}
