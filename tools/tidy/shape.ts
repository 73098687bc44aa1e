import { type Node, type Source, walk } from "../lib/source.ts";

const file_lines_max = 600;
const line_columns_max = 100;
const function_lines_max = 70;

/** A tab is as wide as the formatter counts it. */
const tab_columns = 2;

/** What is wrong, and in which line. */
export interface Finding {
	readonly line: number;
	readonly message: string;
}

/** Names every part of which is lower case, with dashes between words. */
const kebab_case = /^\.?[a-z0-9]+(-[a-z0-9]+)*(\.[a-z0-9]+(-[a-z0-9]+)*)*$/;

/** Documents that people expect under these names. */
const capital_name = /^(LICENSE|NOTICE|Dockerfile|[A-Z]+(-[A-Z]+)*\.md)$/;

/** Files and folders are named in kebab-case, so that no file system disagrees about them. */
export function checkName(file: string): Finding[] {
	const wrong = file.split("/").find((part) => !kebab_case.test(part) && !capital_name.test(part));
	return wrong === undefined ? [] : [{ line: 1, message: `Name "${wrong}" in kebab-case.` }];
}

/** A file of this length is two. */
export function checkFileLength(text: string): Finding[] {
	const lines = text.split("\n").length - 1;
	if (lines <= file_lines_max) return [];
	return [
		{ line: file_lines_max, message: `${lines} lines; split what is over ${file_lines_max}.` },
	];
}

/** Lines fit the screen. A line whose overlong part is one string or address is left alone. */
export function checkLineLength(source: Source): Finding[] {
	const unbreakable = unbreakableLines(source);
	return source.text.split("\n").flatMap((line, index) => {
		const columns = line.length + (line.match(/\t/g)?.length ?? 0) * (tab_columns - 1);
		if (columns <= line_columns_max || unbreakable.has(index + 1)) return [];
		return [{ line: index + 1, message: `${columns} columns; the limit is ${line_columns_max}.` }];
	});
}

function unbreakableLines(source: Source): Set<number> {
	const lines = new Set<number>();
	const add = (node: { start: number; end: number }) => {
		const last = source.lineAt(node.end);
		for (let line = source.lineAt(node.start); line <= last; line++) lines.add(line);
	};
	walk(source.program, (node) => {
		if (node.type === "Literal" || node.type === "TemplateElement") add(node);
	});
	for (const comment of source.comments) if (/\w:\/\/\S/.test(comment.value)) add(comment);
	return lines;
}

/** A function fits the screen. */
export function checkFunctionLength(source: Source): Finding[] {
	const found: Finding[] = [];
	walk(source.program, (node) => {
		if (!isFunction(node)) return;
		const first = source.lineAt(node.start);
		const lines = source.lineAt(node.end) - first + 1;
		if (lines <= function_lines_max) return;
		const message = `This function has ${lines} lines; the limit is ${function_lines_max}.`;
		found.push({ line: first, message });
	});
	return found;
}

function isFunction({ type }: Node): boolean {
	return (
		type === "FunctionDeclaration" ||
		type === "FunctionExpression" ||
		type === "ArrowFunctionExpression"
	);
}
