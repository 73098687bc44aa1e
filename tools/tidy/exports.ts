import { isNode, type Node, type Source, walk } from "../lib/source.ts";
import type { Finding } from "./shape.ts";

/** Declarations whose meaning a reader cannot see from the name and type alone. */
const documented = new Map([
	["FunctionDeclaration", "function"],
	["TSDeclareFunction", "function"],
	["ClassDeclaration", "class"],
	["TSInterfaceDeclaration", "interface"],
	["TSTypeAliasDeclaration", "type"],
]);

const no_barrel = "Import from the file that has it; a file that only re-exports is not needed.";

/**
 * Exported functions, classes and types say what they are; nothing is exported as default, and no
 * file is a mere list of what others export.
 */
export function checkExports(source: Source): Finding[] {
	const found: Finding[] = [];
	const described = new Set<string>();
	const body = source.program["body"] as Node[];
	if (body.length > 0 && body.every(isReexport)) found.push({ line: 1, message: no_barrel });
	for (const node of body) {
		const line = source.lineAt(node.start);
		if (node.type === "ExportDefaultDeclaration") {
			found.push({ line, message: "Export by name; there are no default exports." });
		} else if (node.type === "ExportAllDeclaration") {
			found.push({ line, message: no_barrel });
		} else if (node.type === "ExportNamedDeclaration") {
			const exported = nameOf(node["declaration"]);
			if (exported === undefined || described.has(exported.name)) continue;
			described.add(exported.name);
			if (!hasDocstring(source, node)) {
				const message = `Say in a comment of the form /** */ what this ${exported.kind} is.`;
				found.push({ line, message });
			}
		}
	}
	return found;
}

function isReexport(node: Node): boolean {
	return (
		node.type === "ExportAllDeclaration" || (/^Export/.test(node.type) && isNode(node["source"]))
	);
}

function nameOf(declaration: unknown): { kind: string; name: string } | undefined {
	if (!isNode(declaration)) return undefined;
	if (isDerived(declaration)) return undefined;
	const kind = documented.get(declaration.type);
	if (kind !== undefined) return { kind, name: identifier(declaration["id"]) };
	if (declaration.type !== "VariableDeclaration") return undefined;
	const variable = (declaration["declarations"] as Node[])[0];
	const value = variable?.["init"];
	if (!isNode(value) || !/Function/.test(value.type)) return undefined;
	return { kind: "function", name: identifier(variable?.["id"]) };
}

/** A type that is made of a value, `typeof value`, is described where the value is. */
function isDerived(declaration: Node): boolean {
	let derived = false;
	if (declaration.type !== "TSTypeAliasDeclaration") return false;
	walk(declaration, ({ type }) => {
		if (type === "TSTypeQuery") derived = true;
	});
	return derived;
}

function identifier(id: unknown): string {
	return isNode(id) ? String(id["name"]) : "";
}

/** Whether a comment of the form that editors show stands right before the node. */
function hasDocstring(source: Source, node: Node): boolean {
	return source.comments.some(
		(comment) =>
			comment.type === "Block" &&
			comment.value.startsWith("*") &&
			/\w/.test(comment.value) &&
			comment.end <= node.start &&
			source.text.slice(comment.end, node.start).trim() === "",
	);
}

/**
 * A bundle has other files in other places, so source finds its neighbours only in the one way
 * that the build follows: `new URL("./name.ts", import.meta.url)`.
 */
export function checkModulePlaces(source: Source): Finding[] {
	const found: Finding[] = [];
	const followed = new Set<Node>();
	walk(source.program, (node, { parent }) => {
		if (node.type === "NewExpression" && identifier(node["callee"]) === "URL") {
			const [path, base] = node["arguments"] as Node[];
			if (path?.type === "Literal" && base !== undefined) followed.add(base);
		}
		if (node.type !== "MetaProperty" || identifier(node["meta"]) !== "import") return;
		if (parent !== undefined && followed.has(parent)) return;
		const message = 'The bundle follows only new URL("./name.ts", import.meta.url).';
		found.push({ line: source.lineAt(node.start), message });
	});
	return found;
}
