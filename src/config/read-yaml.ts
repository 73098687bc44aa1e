import {
	type Alias,
	isAlias,
	isMap,
	isScalar,
	isSeq,
	type Node,
	type Pair,
	parseDocument,
	visit,
	type YAMLError,
	type YAMLMap,
	type Document as YamlDocument,
} from "yaml";
import { type Located, type LocatedEntry, type LocatedScalar, tree_limits } from "./located.ts";
import { type Report, reportKey } from "./report.ts";

/**
 * Sentences for the mistakes people make most. The parser's own messages are not shown,
 * because some of them repeat the text they stumbled over, which may be a secret.
 */
const syntax_sentences: Readonly<Record<string, readonly [message: string, next: string]>> = {
	TAB_AS_INDENT: ["A tab is used as indentation.", "Indent with spaces."],
	BAD_INDENT: ["The indentation does not fit what stands above.", "Align this line."],
	MISSING_CHAR: [
		"A closing quote, a bracket, a colon or a comma is missing here.",
		"Add it, or put the value in quotes.",
	],
	BLOCK_AS_IMPLICIT_KEY: [
		"A second `key:` stands on one line.",
		"Put it on its own line, or put the value in quotes.",
	],
	MULTILINE_IMPLICIT_KEY: [
		"A key runs over several lines.",
		"Put a colon behind the key, on the same line.",
	],
	MULTIPLE_DOCS: ["The file holds more than one YAML document.", "Remove the `---` line."],
	TAG_RESOLVE_FAILED: ["YAML tags such as `!name` are not understood.", "Remove the tag."],
	BAD_ALIAS: ["The alias refers to an anchor that is not defined above.", "Correct its name."],
	BAD_DQ_ESCAPE: [
		"The text in double quotes holds an unknown backslash sequence.",
		"Use single quotes, or write the backslash twice.",
	],
	BAD_SCALAR_START: ["A plain value cannot start with this character.", "Put it in quotes."],
};

/** Reads YAML 1.2. Syntax errors go to the report; undefined when there is no usable tree. */
export function readYaml(report: Report): Located | undefined {
	const document = parseDocument(report.source.text, { uniqueKeys: false, prettyErrors: false });
	// The first error is the real one; what follows it is mostly its echo.
	for (const error of [...document.errors.slice(0, 1), ...document.warnings]) {
		reportSyntax(report, document, error);
	}
	if (report.failed) return undefined;
	if (document.contents === null) return { kind: "map", start: 0, entries: [] };
	return new YamlReader(report, document).readRoot(document.contents);
}

function reportSyntax(report: Report, document: YamlDocument, error: YAMLError): void {
	const [offset] = error.pos;
	const quote = error.code === "MISSING_CHAR" ? openQuote(document, offset) : undefined;
	if (quote !== undefined) {
		report.problem(quote, "The quote that starts here is never closed.", "Close it.");
		return;
	}
	const [message, next] = syntax_sentences[error.code] ?? [
		"This is not valid YAML.",
		"Correct the line, or put the value in quotes.",
	];
	report.problem(offset, message, next);
}

/** The parser reports an open quote where the text ends; people look for where it starts. */
function openQuote(document: YamlDocument, end: number): number | undefined {
	let start: number | undefined;
	visit(document, {
		Scalar(_, node) {
			const quoted = node.type === "QUOTE_DOUBLE" || node.type === "QUOTE_SINGLE";
			if (quoted && node.range?.[1] === end) start = node.range[0];
		},
	});
	return start;
}

/** Turns the parser's nodes into located ones, within the limits. */
class YamlReader {
	readonly #report: Report;
	readonly #document: YamlDocument;
	#nodes = 0;
	#overflow: { readonly start: number; readonly is_deep: boolean } | undefined;

	constructor(report: Report, document: YamlDocument) {
		this.#report = report;
		this.#document = document;
	}

	readRoot(root: Node): Located | undefined {
		const tree = this.#read(root, 0, 0);
		if (this.#overflow === undefined) return tree;
		const { start, is_deep } = this.#overflow;
		if (is_deep) {
			this.#report.problem(start, "The file is nested too deeply.", "Write it more simply.");
		} else {
			const message = `The file has more than ${tree_limits.nodes_max} values, those of its aliases included.`;
			this.#report.problem(start, message, "Write it shorter, or divide it between gateways.");
		}
		return undefined;
	}

	#read(node: Node | null, depth: number, start_if_empty: number): Located | undefined {
		const start = node?.range?.[0] ?? start_if_empty;
		this.#nodes += 1;
		if (this.#overflow !== undefined) return undefined;
		const is_deep = depth > tree_limits.depth_max;
		if (is_deep || this.#nodes > tree_limits.nodes_max) {
			this.#overflow = { start, is_deep };
			return undefined;
		}
		if (node === null) {
			return { kind: "scalar", start, value: null, text: "", exact: undefined };
		}
		if (isAlias(node)) return this.#readAlias(node, depth);
		if (isScalar(node)) return readScalar(this.#report.source.text, node, start);
		if (isSeq(node)) {
			const items = node.items.map((item) => this.#read(item as Node | null, depth + 1, start));
			return { kind: "list", start, items: items.filter((item) => item !== undefined) };
		}
		if (isMap(node)) return this.#readMap(node, depth, start);
		return undefined;
	}

	#readAlias(node: Alias, depth: number): Located | undefined {
		const target = node.resolve(this.#document);
		const start = node.range?.[0] ?? 0;
		if (target === undefined) {
			this.#report.problem(start, ...(syntax_sentences["BAD_ALIAS"] as [string, string]));
			return undefined;
		}
		const value = this.#read(target, depth + 1, start);
		// Problems are reported where the alias stands, not where its anchor does.
		if (value?.kind === "scalar") return { ...value, start, exact: undefined };
		return value;
	}

	#readMap(node: YAMLMap, depth: number, start: number): Located {
		const entries: LocatedEntry[] = [];
		const seen = new Map<string, number>();
		for (const pair of node.items as Pair<Node | null, Node | null>[]) {
			const key_start = pair.key?.range?.[0] ?? start;
			const key = keyText(pair.key);
			if (key === undefined) {
				this.#report.problem(key_start, "A key must be text.", "Write a simple name.");
				continue;
			}
			if (key === "<<") {
				this.#report.problem(
					key_start,
					"Merge keys are not part of YAML 1.2.",
					"Write the keys out, or use an alias for the whole value.",
				);
				continue;
			}
			if (key === "__proto__" || seen.has(key)) {
				reportKey(this.#report, key, key_start, seen.get(key));
				continue;
			}
			seen.set(key, key_start);
			const value = this.#read(pair.value, depth + 1, key_start);
			if (value !== undefined) entries.push({ key, key_start, value });
		}
		return { kind: "map", start, entries };
	}
}

function keyText(key: Node | null): string | undefined {
	if (!isScalar(key)) return undefined;
	if (typeof key.value === "string") return key.value;
	return key.source;
}

function readScalar(
	file: string,
	node: { value: unknown; source?: string },
	start: number,
): LocatedScalar {
	const { value } = node;
	if (typeof value !== "string") {
		const text = node.source ?? String(value);
		const plain = typeof value === "number" || typeof value === "boolean" ? value : null;
		return { kind: "scalar", start, value: plain, text, exact: start };
	}
	const exact = [start, start + 1].find((from) => file.startsWith(value, from));
	return { kind: "scalar", start, value, text: value, exact };
}
