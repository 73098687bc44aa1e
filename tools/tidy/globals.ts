import { matchesGlob } from "node:path";
import { findReferences, isNode, type Node, type Place, type Source, walk } from "../lib/source.ts";
import type { GlobalRule } from "./rules.ts";
import type { Finding } from "./shape.ts";

/** Every use of a name or module that `rules` keep to other files. */
export function checkGlobals(source: Source, rules: readonly GlobalRule[]): Finding[] {
	const broken = rules.filter(
		(rule) => !rule.allowed.some((glob) => matchesGlob(source.file, glob)),
	);
	const uses = [...findGlobals(source), ...findModules(source)];
	return uses.flatMap(({ name, line }) => {
		const rule = broken.find(({ names, modules }) => [...names, ...modules].includes(name));
		return rule === undefined
			? []
			: [{ line, message: `${name} is not used here. ${rule.instead}` }];
	});
}

interface Use {
	readonly name: string;
	readonly line: number;
}

/** Modules as `node:name`, whether written with the prefix or without. */
function findModules(source: Source): Use[] {
	return findReferences(source)
		.filter(({ is_type }) => !is_type)
		.map(({ specifier, line }) => ({
			name: specifier.startsWith("node:") ? specifier : `node:${specifier}`,
			line,
		}));
}

/**
 * The globals a file uses, each as `name`, as `name.member` where a member of it is taken, and as
 * `new Name()` where it is constructed without arguments. A name that the file declares itself is
 * not global.
 */
function findGlobals(source: Source): Use[] {
	const declared = declaredNames(source.program);
	const found: Use[] = [];
	walk(source.program, (node, place) => {
		if (node.type !== "Identifier" || !isReference(place)) return;
		const line = source.lineAt(node.start);
		const names = usesOf(node, place).filter((name) => !declared.has(name.split(".")[0] ?? name));
		for (const name of names) found.push({ name, line });
	});
	return found;
}

function usesOf(node: Node, { parent, field }: Place): string[] {
	const name = String(node["name"]);
	// globalThis.setTimeout is setTimeout.
	if (parent?.type === "MemberExpression" && field === "object") {
		const property = parent["property"];
		const member = isNode(property) ? String(property["name"] ?? property["value"]) : "";
		return name === "globalThis" ? [name, member] : [name, `${name}.${member}`];
	}
	if (parent?.type === "NewExpression" && field === "callee") {
		const has_arguments = Array.isArray(parent["arguments"]) && parent["arguments"].length > 0;
		return has_arguments ? [name] : [name, `new ${name}()`];
	}
	// const { env } = process
	if (parent?.type === "VariableDeclarator" && field === "init") {
		return [name, ...patternKeys(parent["id"]).map((key) => `${name}.${key}`)];
	}
	return [name];
}

function patternKeys(pattern: unknown): string[] {
	if (!isNode(pattern) || pattern.type !== "ObjectPattern") return [];
	return (pattern["properties"] as Node[]).flatMap((property) => {
		const key = property["key"];
		return isNode(key) ? [String(key["name"])] : [];
	});
}

/** False for names that are only the label of something: `a.name`, `{ name: 1 }`, a parameter. */
function isReference({ parent, field }: Place): boolean {
	if (parent === undefined) return true;
	if (field === "property" || field === "key") return parent["computed"] === true;
	if (parent.type.startsWith("TS")) return field === "expression";
	return !["id", "params", "local", "imported", "exported", "label"].includes(field);
}

/** Every name the file binds: imports, variables, parameters, functions and classes. */
function declaredNames(program: Node): Set<string> {
	const names = new Set<string>();
	const bind = (pattern: unknown) => {
		if (!isNode(pattern)) return;
		if (pattern.type === "Identifier") names.add(String(pattern["name"]));
		else if (pattern.type === "AssignmentPattern") bind(pattern["left"]);
		else if (pattern.type === "RestElement") bind(pattern["argument"]);
		else if (pattern.type === "ArrayPattern") (pattern["elements"] as unknown[]).forEach(bind);
		else if (pattern.type === "Property") bind(pattern["value"]);
		else if (pattern.type === "ObjectPattern") (pattern["properties"] as unknown[]).forEach(bind);
	};
	walk(program, (node) => {
		if (/^Import.*Specifier$/.test(node.type)) bind(node["local"]);
		if (/^(VariableDeclarator|FunctionDeclaration|ClassDeclaration)$/.test(node.type)) {
			bind(node["id"]);
		}
		if (/Function/.test(node.type) && Array.isArray(node["params"])) node["params"].forEach(bind);
		if (node.type === "CatchClause") bind(node["param"]);
	});
	return names;
}
