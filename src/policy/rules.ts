import type { PolicyPlan, RuleOutcome, RulePlan } from "../config/policy-plan.ts";
import type { ConfigProblem } from "../config/problem.ts";
import { matchesGlob } from "../lib/glob.ts";
import { fail, type Result, succeed } from "../lib/result.ts";
import type { RiskClass } from "../protocol/risk.ts";
import { type Condition, type ExpressionProblem, parseCondition } from "./cel.ts";

/** A rule that is ready to be asked. */
export interface Rule {
	readonly plan: RulePlan;
	readonly name: string;
	/** Undefined: always true. */
	readonly condition: Condition | undefined;
	/** Empty: any. */
	readonly risks: ReadonlySet<RiskClass>;
	/** Whether it cannot be decided without what is known of the tool. */
	readonly needs_tool: boolean;
	readonly methods: readonly string[];
}

/** What calls a rule is chosen by. */
export interface RuleTarget {
	readonly endpoint: string;
	readonly server: string;
	readonly method: string;
	/** The server's own name of a tool; undefined where it is no call of a tool. */
	readonly tool: string | undefined;
}

/** What is called where, and by which method. */
interface CalledThing extends Omit<RuleTarget, "tool"> {
	/** Tool or prompt name, or uri. */
	readonly name: string | undefined;
}

/** Choices that are remembered; tools that do not exist may be asked for by any name. */
const choices_max = 10_000;

/** What was made of a policy: it is looked at when a file is read, and again when it is used. */
const compiled = new WeakMap<PolicyPlan, Result<readonly Rule[], ConfigProblem[]>>();

/** Makes the rules of a configuration; every expression that is wrong is told with its place. */
export function compileRules(policy: PolicyPlan): Result<readonly Rule[], ConfigProblem[]> {
	let result = compiled.get(policy);
	if (result === undefined) {
		result = compile(policy);
		compiled.set(policy, result);
	}
	return result;
}

function compile(policy: PolicyPlan): Result<readonly Rule[], ConfigProblem[]> {
	const problems: ConfigProblem[] = [];
	const rules = policy.rules.map((plan): Rule => {
		const parsed = plan.when === undefined ? undefined : parseCondition(plan.when);
		if (parsed?.ok === false) problems.push(placed(plan, parsed.problem));
		const condition = parsed?.ok === true ? parsed.value : undefined;
		const mentions = (name: string) => condition?.mentions.has(name) === true;
		const needs_tool = plan.risks.length > 0 || mentions("tool");
		// Rules of tools would only be in the way of resources, which have neither.
		const is_of_tools = plan.tools.length > 0 || needs_tool || mentions("args");
		return {
			plan,
			name: plan.name,
			condition,
			risks: new Set(plan.risks),
			needs_tool,
			methods: plan.methods ?? (is_of_tools ? ["tools/call"] : []),
		};
	});
	return problems.length > 0 ? fail(problems) : succeed(rules);
}

function placed(plan: RulePlan, { message, index }: ExpressionProblem): ConfigProblem {
	const { file, line, column, exact } = plan.when_place ?? { ...plan.place, exact: false };
	return {
		file,
		line,
		column: exact ? column + index : column,
		message: `The condition of \`${plan.name}\` is wrong: ${message}`,
		next: "Correct it; docs/policy.md has what conditions can speak of.",
	};
}

/** The rules of one configuration, and which of them are about what. */
export class RuleBook {
	readonly all: readonly Rule[];
	readonly #chosen = new Map<string, readonly Rule[]>();
	readonly #of_places = new Map<string, readonly Rule[]>();

	constructor(rules: readonly Rule[]) {
		this.all = rules;
	}

	/** The rules about a call but for their risks, in order. */
	about(target: RuleTarget): readonly Rule[] {
		const { endpoint, server, method, tool } = target;
		const key = `${server}\n${method}\n${endpoint}\n${tool ?? ""}`;
		const known = this.#chosen.get(key);
		if (known !== undefined) return known;
		if (this.#chosen.size >= choices_max) this.#chosen.clear();
		const chosen = this.all.filter((rule) => isAbout(rule, target));
		this.#chosen.set(key, chosen);
		return chosen;
	}

	/** The rules about anything of a server at an endpoint, in order. */
	aboutPlace({ endpoint, server }: Pick<RuleTarget, "endpoint" | "server">): readonly Rule[] {
		const key = `${server}\n${endpoint}`;
		const known = this.#of_places.get(key);
		if (known !== undefined) return known;
		if (this.#of_places.size >= choices_max) this.#of_places.clear();
		const chosen = this.all.filter(
			({ plan }) => fits(plan.servers, server) && fits(plan.endpoints, endpoint),
		);
		this.#of_places.set(key, chosen);
		return chosen;
	}
}

/** By what the rules about a call are chosen. */
export function targetOf(call: CalledThing): RuleTarget {
	const { endpoint, server, method, name } = call;
	return { endpoint, server, method, tool: method === "tools/call" ? name : undefined };
}

/** Whether a rule is about a call, but for its risk. */
export function isAbout({ plan, methods }: Rule, target: RuleTarget): boolean {
	const { endpoint, server, method, tool } = target;
	return (
		fits(plan.servers, server) &&
		fits(plan.endpoints, endpoint) &&
		fits(methods, method) &&
		(plan.tools.length === 0 || (tool !== undefined && fitsTool(plan.tools, server, tool)))
	);
}

function fits(patterns: readonly string[], text: string): boolean {
	return patterns.length === 0 || patterns.some((pattern) => matchesGlob(pattern, text));
}

function fitsTool(patterns: readonly string[], server: string, tool: string): boolean {
	const full = `${server}__${tool}`;
	return patterns.some((pattern) => matchesGlob(pattern, pattern.includes("__") ? full : tool));
}

/** What becomes of a call by a rule, given whether its condition is true. */
export function outcomeOf({ plan }: Rule, holds: boolean): RuleOutcome {
	return holds ? plan.then : plan.otherwise;
}
