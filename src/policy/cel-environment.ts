import { type ASTNode, Environment, serialize } from "@marcbachmann/cel-js";
import { ClientFacts, PrincipalFacts, ToolVariable } from "./facts.ts";

/**
 * Expressions in CEL (the Common Expression Language): the one file that calls the library which
 * reads them, and what they can speak of.
 */

/** An expression ready to be evaluated; throws where something is missing or of another type. */
export type Evaluate = (facts: object) => unknown;

const nodes_max = 1_000;

/** What knows the variables of expressions and their types. */
export const environment = new Environment({
	unlistedVariablesAreDyn: false,
	homogeneousAggregateLiterals: false,
	enableOptionalTypes: true,
	limits: { maxAstNodes: nodes_max, maxDepth: 100 },
})
	.registerType("Principal", {
		ctor: PrincipalFacts,
		fields: {
			id: "string",
			tenant: "string",
			user: "string",
			client: "dyn",
			roles: "list<string>",
			scopes: "dyn",
			claims: "map<string, dyn>",
			via: "string",
		},
	})
	.registerType("Client", {
		ctor: ClientFacts,
		fields: { name: "string", version: "string", revision: "string", era: "string" },
	})
	.registerType("Tool", {
		ctor: ToolVariable,
		fields: { name: "string", risk: "string", annotations: "map<string, dyn>" },
	})
	.registerVariable("principal", "Principal")
	.registerVariable("client", "Client")
	.registerVariable("endpoint", "string")
	.registerVariable("server", "string")
	.registerVariable("method", "string")
	.registerVariable("name", "string")
	.registerVariable("tool", "Tool")
	.registerVariable("args", "dyn")
	.registerVariable("time", "google.protobuf.Timestamp");

/**
 * What evaluates a part of a checked expression apart from the rest; undefined where that cannot
 * be done: the library writes some expressions without the parentheses that they need.
 */
export function runOf(node: ASTNode): Evaluate | undefined {
	const checked = environment.check(serialize(node));
	if (!checked.valid) return undefined;
	const parsed = environment.parse(serialize(node));
	return isSame(parsed.ast, node) ? (parsed as Evaluate) : undefined;
}

function isSame(one: unknown, other: unknown): boolean {
	if (typeof one !== "object" || one === null) return one === other;
	if (typeof other !== "object" || other === null) return false;
	if (Array.isArray(one)) {
		if (!Array.isArray(other) || one.length !== other.length) return false;
		return one.every((item, at) => isSame(item, other[at]));
	}
	const [a, b] = [one as Partial<ASTNode>, other as Partial<ASTNode>];
	return a.op !== undefined && a.op === b.op && isSame(a.args, b.args);
}
