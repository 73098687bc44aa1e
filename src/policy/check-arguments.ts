import { allowed, type Check, type CheckedCall, type ToolFacts, type Verdict } from "./check.ts";
import type { CurrentPolicy } from "./current-policy.ts";
import { ToolSchema } from "./schemas/tool-schema.ts";

/**
 * Whether a call's arguments fit the schema that the tool was listed with, before the server sees
 * them. The client gets the tool's error back that the protocol has for this, so that a model
 * can correct itself (tools, error handling; SEP-1303).
 */
export class ArgumentsCheck implements Check {
	readonly name = "arguments";
	readonly #policy: Pick<CurrentPolicy, "serverPolicy">;
	/** By the tool as its catalog has it: another version of the catalog has others. */
	readonly #schemas = new WeakMap<ToolFacts, ToolSchema>();

	constructor(policy: Pick<CurrentPolicy, "serverPolicy">) {
		this.#policy = policy;
	}

	check(call: CheckedCall): Verdict {
		const { method, server, tool } = call;
		if (method !== "tools/call") return allowed;
		const { arguments: mode } = this.#policy.serverPolicy(server);
		if (mode === "off") return allowed;
		if (tool === undefined) return mode === "strict" ? unknown_tool : allowed;
		let schema = this.#schemas.get(tool);
		if (schema === undefined) {
			schema = new ToolSchema(tool.input_schema);
			this.#schemas.set(tool, schema);
		}
		// A call without arguments is one with none of them.
		const fit = schema.check(call.args() ?? {});
		switch (fit.kind) {
			case "fits":
				return allowed;
			case "differs":
				if (mode !== "strict" && fitsWithoutNulls(schema, call.args())) return allowed;
				return invalid(
					`The arguments do not fit the schema of "${tool.name}". ${fit.problems.join(" ")} ` +
						"The server was not called; correct them and call again.",
				);
			case "too_large":
				return invalid(
					`The arguments of "${tool.name}" are too large or too deeply nested to be checked ` +
						"against its schema. Whoever runs this gateway can turn this off with " +
						`\`servers.${server}.arguments: off\`.`,
				);
			case "unusable":
				// The server checks its arguments itself; what cannot be read here is left to it.
				return mode === "strict" ? unusable(tool.name, fit.reason) : allowed;
		}
	}
}

/**
 * Many clients write null for what they leave out, and over HTTP both mean the same (SEP-2243):
 * where nothing else is wrong, the server is to decide.
 */
function fitsWithoutNulls(schema: ToolSchema, args: unknown): boolean {
	if (typeof args !== "object" || args === null || Array.isArray(args)) return false;
	const given = Object.entries(args).filter(([, value]) => value !== null);
	if (given.length === Object.keys(args).length) return false;
	return schema.check(Object.fromEntries(given)).kind === "fits";
}

const unknown_tool: Verdict = Object.freeze({
	kind: "deny",
	code: "policy_denied",
	message: "The schema of this tool is not known. List the server's tools, then call again.",
	rule: "arguments",
});

function unusable(tool: string, reason: string): Verdict {
	const message = `The schema of "${tool}" cannot be used, so its arguments cannot be checked. ${reason}`;
	return { kind: "deny", code: "policy_denied", message, rule: "arguments" };
}

function invalid(message: string): Verdict {
	return { kind: "deny", code: "arguments_invalid", message, rule: "arguments" };
}
