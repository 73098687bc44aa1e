import type { RuleOutcome } from "../config/policy-plan.ts";
import type { Principal } from "../identity/principal.ts";
import { fits, type Measure, measure } from "../lib/measure.ts";
import type { Condition } from "./cel.ts";
import type { CheckedCall, Listed, ListedKind } from "./check.ts";
import { type Facts, factsOf, factsOfListed, unknown_when_listed } from "./facts.ts";
import { outcomeOf, type Rule, type RuleBook } from "./rules.ts";

/** What one rule says of one call. */
export interface RuleVerdict {
	readonly rule: Rule;
	/** Undefined where the rule is about tools of other risks, or could not be decided. */
	readonly holds: boolean | undefined;
	/** A rule that cannot be decided denies. */
	readonly outcome: RuleOutcome;
	/** Why it could not be decided: a sentence. */
	readonly problem: string | undefined;
}

/** What all rules say of one call, as far as they were asked. */
export interface Judgement {
	/** The first that denies. */
	readonly denied: RuleVerdict | undefined;
	/** The first that wants a person asked. */
	readonly asks: Rule | undefined;
	/** Those that set a limit. */
	readonly limits: readonly Rule[];
	/** Whether one allows. */
	readonly allowed: boolean;
}

const none: readonly Rule[] = [];

/** Asks the rules about a call in order, up to the first that denies. */
export function judge(book: RuleBook, call: CheckedCall): Judgement {
	let asks: Rule | undefined;
	let limits: Rule[] | undefined;
	let allowed = false;
	for (const verdict of verdicts(book.about(targetOf(call)), call)) {
		const { outcome, rule } = verdict;
		if (outcome === "deny") return { denied: verdict, asks, limits: limits ?? none, allowed };
		if (outcome === "ask") asks ??= rule;
		else if (outcome === "allow") allowed = true;
		else if (outcome === "limit") {
			limits ??= [];
			limits.push(rule);
		}
	}
	return { denied: undefined, asks, limits: limits ?? none, allowed };
}

/** What each of some rules says of a call. */
export function* verdicts(rules: readonly Rule[], call: CheckedCall): Generator<RuleVerdict> {
	let facts: Facts | undefined;
	let size: Measure | undefined;
	for (const rule of rules) {
		if (rule.needs_tool && call.tool === undefined) {
			yield undecided(rule, "It is not known what the tool is; list the server's tools first.");
			continue;
		}
		if (!isOfRisk(rule, call.tool?.risk)) {
			yield { rule, holds: undefined, outcome: "pass", problem: undefined };
			continue;
		}
		const { condition } = rule;
		if (condition === undefined) {
			yield { rule, holds: true, outcome: rule.plan.then, problem: undefined };
			continue;
		}
		facts ??= factsOf(call);
		if (condition.mentions.has("args")) {
			// Null has no members, so that a condition that needs one cannot be decided.
			facts.args ??= call.args() ?? null;
			size ??= measure([facts.args, call.name]);
			if (!fits(size, condition.bounds)) {
				yield undecided(rule, "The arguments are too large for its condition.");
				continue;
			}
		}
		yield settle(rule, condition, facts);
	}
}

function settle(rule: Rule, condition: Condition, facts: Facts): RuleVerdict {
	const value = condition.evaluate(facts);
	if (!value.ok) return undecided(rule, value.problem);
	const holds = value.value;
	return { rule, holds, outcome: outcomeOf(rule, holds), problem: undefined };
}

function undecided(rule: Rule, problem: string): RuleVerdict {
	return { rule, holds: undefined, outcome: "deny", problem };
}

function isOfRisk(rule: Rule, risk: NonNullable<CheckedCall["tool"]>["risk"] | undefined): boolean {
	return rule.risks.size === 0 || (risk !== undefined && rule.risks.has(risk));
}

/** By what the rules about a call are chosen. */
export function targetOf(call: Pick<CheckedCall, "endpoint" | "server" | "method" | "name">) {
	const { endpoint, server, method, name } = call;
	return { endpoint, server, method, tool: method === "tools/call" ? name : undefined };
}

const methods: Readonly<Record<ListedKind, string>> = {
	tool: "tools/call",
	resource: "resources/read",
	prompt: "prompts/get",
};

/** Whether some arguments could make a call of something listed allowed. */
export function couldBeAllowed(
	book: RuleBook,
	by_default: "allow" | "deny",
	who: Principal,
	item: Listed,
): boolean {
	const method = methods[item.kind];
	const rules = book.about(targetOf({ ...item, method }));
	if (rules.length === 0) return by_default === "allow";
	const facts = factsOfListed(who, item, method);
	// A template is no uri yet.
	const unknown = item.name.includes("{") ? unknown_with_name : unknown_when_listed;
	let allowed = by_default === "allow";
	for (const rule of rules) {
		const outcomes = possibleOutcomes(rule, item, facts, unknown);
		if (outcomes.every((outcome) => outcome === "deny")) return false;
		// Being asked is no permission by itself: what a person agrees to is allowed.
		allowed ||= outcomes.some((outcome) => outcome === "allow" || outcome === "ask");
	}
	return allowed;
}

const unknown_with_name: ReadonlySet<string> = new Set([...unknown_when_listed, "name"]);

function possibleOutcomes(
	rule: Rule,
	item: Listed,
	facts: Facts,
	unknown: ReadonlySet<string>,
): readonly RuleOutcome[] {
	const { condition, plan } = rule;
	if (rule.needs_tool && item.tool === undefined) return ["deny"];
	if (!isOfRisk(rule, item.tool?.risk)) return ["pass"];
	if (condition === undefined) return [plan.then];
	switch (condition.foresee(facts, unknown)) {
		case true:
			return [plan.then];
		case false:
			return [plan.otherwise];
		case "error":
			return ["deny"];
		case "unknown":
			return [plan.then, plan.otherwise];
	}
}
