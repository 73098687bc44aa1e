import type { RuleOutcome } from "../config/policy-plan.ts";
import type { Principal } from "../identity/principal.ts";
import type { CheckedCall, Listed, ListedKind, Place } from "./check.ts";
import { type Facts, factsOfListed, unknown_when_listed } from "./facts.ts";
import type { Foregone } from "./foregone.ts";
import { isOfRisk, Question, type RuleVerdict } from "./question.ts";
import { type Rule, type RuleBook, targetOf } from "./rules.ts";

/** What all rules say of one call, as far as they were asked. */
export interface Judgement {
	/** The first that denies. */
	readonly denied: RuleVerdict | undefined;
	/** Those that want a person asked. */
	readonly asks: readonly Rule[];
	/** Those that set a limit. */
	readonly limits: readonly Rule[];
	/** Whether one allows. */
	readonly allowed: boolean;
}

const none: readonly Rule[] = [];

/** Asks the rules about a call in order, up to the first that denies. */
export function judge(foregone: Foregone, call: CheckedCall): Judgement {
	let asks: Rule[] | undefined;
	let limits: Rule[] | undefined;
	let allowed = false;
	let question: Question | undefined;
	for (const step of foregone.stepsOf(call)) {
		let verdict: RuleVerdict;
		if (step.kind === "known") verdict = step.verdict;
		else {
			question ??= new Question(call);
			verdict = question.ask(step.rule);
		}
		const { outcome, rule } = verdict;
		if (outcome === "deny") {
			return { denied: verdict, asks: asks ?? none, limits: limits ?? none, allowed };
		}
		if (outcome === "ask") {
			asks ??= [];
			asks.push(rule);
		} else if (outcome === "allow") allowed = true;
		else if (outcome === "limit") {
			limits ??= [];
			limits.push(rule);
		}
	}
	return { denied: undefined, asks: asks ?? none, limits: limits ?? none, allowed };
}

const methods: Readonly<Record<ListedKind, string>> = {
	tool: "tools/call",
	resource: "resources/read",
	prompt: "prompts/get",
};

/** What one rule may make of something that a list shows, before anybody calls it. */
export interface Prospect {
	readonly rule: Rule;
	/** More than one where only a call itself can tell. */
	readonly outcomes: readonly RuleOutcome[];
}

/** What each rule about something listed may make of a call of it. */
export function prospects(book: RuleBook, who: Principal, item: Listed): readonly Prospect[] {
	const rules = book.about(targetOf({ ...item, method: methods[item.kind] }));
	if (rules.length === 0) return [];
	const facts = factsOfListed(who, item, methods[item.kind]);
	// A template is no uri yet.
	const unknown = item.name.includes("{") ? unknown_with_name : unknown_when_listed;
	return rules.map((rule) => ({ rule, outcomes: possibleOutcomes(rule, item, facts, unknown) }));
}

/** Whether some arguments could make a call of something listed allowed. */
export function couldBeAllowed(
	book: RuleBook,
	by_default: "allow" | "deny",
	who: Principal,
	item: Listed,
): boolean {
	let allowed = by_default === "allow";
	for (const { outcomes } of prospects(book, who, item)) {
		if (outcomes.every((outcome) => outcome === "deny")) return false;
		// Being asked is no permission by itself: what a person agrees to is allowed.
		allowed ||= outcomes.some((outcome) => outcome === "allow" || outcome === "ask");
	}
	return allowed;
}

const unknown_with_name: ReadonlySet<string> = new Set([...unknown_when_listed, "name"]);

/** What is not known before it is known which of a server's things is asked for. */
const unknown_of_place: ReadonlySet<string> = new Set([...unknown_with_name, "method", "tool"]);

/**
 * Whether anything of a server could be allowed to somebody, whatever they ask of it. True where
 * that depends on what they ask for, even if each single thing turns out to be denied.
 */
export function couldUse(
	book: RuleBook,
	by_default: "allow" | "deny",
	who: Principal,
	place: Place,
): boolean {
	let allowed = by_default === "allow";
	const rules = book.aboutPlace(place);
	if (rules.length === 0) return allowed;
	const facts = factsOfListed(who, { ...place, name: "", tool: undefined }, "");
	for (const { condition, plan, methods, risks } of rules) {
		const outcomes = outcomesOf(condition?.foresee(facts, unknown_of_place) ?? true, plan);
		const is_of_all = plan.tools.length === 0 && risks.size === 0 && isAny(methods);
		if (is_of_all && outcomes.every((outcome) => outcome === "deny")) return false;
		allowed ||= outcomes.some((outcome) => outcome === "allow" || outcome === "ask");
	}
	return allowed;
}

function isAny(patterns: readonly string[]): boolean {
	return patterns.length === 0 || patterns.includes("*");
}

function outcomesOf(
	foreseen: ReturnType<NonNullable<Rule["condition"]>["foresee"]>,
	plan: Rule["plan"],
): readonly RuleOutcome[] {
	switch (foreseen) {
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

function possibleOutcomes(
	rule: Rule,
	item: Listed,
	facts: Facts,
	unknown: ReadonlySet<string>,
): readonly RuleOutcome[] {
	const { condition, plan } = rule;
	if (rule.needs_tool && item.tool === undefined) return ["deny"];
	if (!isOfRisk(rule, item.tool?.risk)) return ["pass"];
	return outcomesOf(condition?.foresee(facts, unknown) ?? true, plan);
}
