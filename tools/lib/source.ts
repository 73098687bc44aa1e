import assert from "node:assert/strict";
import { parseSync } from "rolldown/utils";

/** A node of the syntax tree (ESTree with TypeScript's additions). */
export interface Node {
	readonly type: string;
	readonly start: number;
	readonly end: number;
	readonly [field: string]: unknown;
}

/** A comment, without its delimiters. */
export interface Comment {
	readonly type: "Line" | "Block";
	readonly value: string;
	readonly start: number;
	readonly end: number;
}

/** A parsed file. */
export interface Source {
	/** Path relative to the root, with forward slashes. */
	readonly file: string;
	readonly text: string;
	readonly program: Node;
	readonly comments: readonly Comment[];
	/** The line, counted from 1, that holds the character at `offset`. */
	lineAt(offset: number): number;
}

/** Whether `value` is a node of the tree. */
export function isNode(value: unknown): value is Node {
	return typeof value === "object" && value !== null && "type" in value && "start" in value;
}

/** Whether a file is one that `parseSource` can read. */
export function isCode(file: string): boolean {
	return /\.(ts|tsx|mts|js|mjs)$/.test(file);
}

/** Parses TypeScript or JavaScript. Throws when the file is not valid: the type check says why. */
export function parseSource(file: string, text: string): Source {
	const result = parseSync(file, text, {});
	assert(result.errors.length === 0, `${file} does not parse: ${result.errors[0]?.message}`);
	const starts = [0];
	for (let at = text.indexOf("\n"); at !== -1; at = text.indexOf("\n", at + 1)) starts.push(at + 1);
	return {
		file,
		text,
		program: result.program as unknown as Node,
		comments: result.comments,
		lineAt: (offset) => starts.findLastIndex((start) => start <= offset) + 1,
	};
}

/** Where a node hangs in its parent. */
export interface Place {
	readonly parent: Node | undefined;
	/** The parent's field that holds the node, or holds the list that holds it. */
	readonly field: string;
}

/** Calls `visit` for every node, parents first. */
export function walk(root: Node, visit: (node: Node, place: Place) => void): void {
	const step = (node: Node, place: Place) => {
		visit(node, place);
		for (const [field, value] of Object.entries(node)) {
			if (Array.isArray(value)) {
				for (const item of value) if (isNode(item)) step(item, { parent: node, field });
			} else if (isNode(value)) {
				step(value, { parent: node, field });
			}
		}
	};
	step(root, { parent: undefined, field: "" });
}

/** A module that a file refers to. */
export interface Reference {
	/** As written: `./clock.ts`, `node:fs`, `hono`. */
	readonly specifier: string;
	readonly line: number;
	/** True when only types are taken, so that nothing is loaded. */
	readonly is_type: boolean;
}

/**
 * Every module a file refers to: imports and re-exports, `import()` as expression and as type, and
 * `new URL("./x.ts", import.meta.url)`, which names the entry of another process or worker.
 */
export function findReferences(source: Source): Reference[] {
	const found: Reference[] = [];
	const add = (value: unknown, is_type: boolean) => {
		if (!isNode(value) || typeof value["value"] !== "string") return;
		found.push({ specifier: value["value"], line: source.lineAt(value.start), is_type });
	};
	walk(source.program, (node) => {
		switch (node.type) {
			case "ImportDeclaration":
				add(node["source"], node["importKind"] === "type");
				break;
			case "ExportNamedDeclaration":
			case "ExportAllDeclaration":
				add(node["source"], node["exportKind"] === "type");
				break;
			case "ImportExpression":
				add(node["source"], false);
				break;
			case "TSImportType":
				add(node["source"], true);
				break;
			case "NewExpression":
				add(moduleUrl(node), false);
				break;
		}
	});
	return found;
}

/** The path in `new URL("./x.ts", import.meta.url)`. */
function moduleUrl(node: Node): Node | undefined {
	const callee = node["callee"];
	const [path, base] = node["arguments"] as Node[];
	const is_url = isNode(callee) && callee.type === "Identifier" && callee["name"] === "URL";
	if (!is_url || path?.type !== "Literal" || base?.type !== "MemberExpression") return undefined;
	const object = base["object"];
	return isNode(object) && object.type === "MetaProperty" ? path : undefined;
}
