import type { RuleOutcome } from "../config/policy-plan.ts";
import { fits, type Measure, measure, measureAtMost } from "../lib/measure.ts";
import type { Condition } from "./cel.ts";
import type { CheckedCall } from "./check.ts";
import { type Facts, factsOf } from "./facts.ts";
import { outcomeOf, type Rule } from "./rules.ts";

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

/** What each of some rules says of a call. */
export function verdicts(rules: readonly Rule[], call: CheckedCall): RuleVerdict[] {
	const question = new Question(call);
	return rules.map((rule) => question.ask(rule));
}

/** What rules are asked about: a call, with its parts made ready once they are needed. */
export class Question {
	readonly #call: CheckedCall;
	#facts: Facts | undefined;
	#size: Measure | undefined;
	#at_most: Measure | undefined;

	constructor(call: CheckedCall) {
		this.#call = call;
	}

	ask(rule: Rule): RuleVerdict {
		const call = this.#call;
		if (rule.needs_tool && call.tool === undefined) {
			return undecided(rule, "It is not known what the tool is; list the server's tools first.");
		}
		if (!isOfRisk(rule, call.tool?.risk)) {
			return { rule, holds: undefined, outcome: "pass", problem: undefined };
		}
		const { condition } = rule;
		if (condition === undefined) {
			return { rule, holds: true, outcome: rule.plan.then, problem: undefined };
		}
		this.#facts ??= factsOf(call);
		const facts = this.#facts;
		if (condition.mentions.has("args")) {
			// Null has no members, so that a condition that needs one cannot be decided.
			facts.args ??= call.args() ?? null;
			if (!this.#fits(condition.bounds)) {
				return undecided(rule, "The arguments are too large for its condition.");
			}
		}
		return settle(rule, condition, facts);
	}

	/** Whether its arguments and its name are no larger than that. */
	#fits(bounds: Measure): boolean {
		const { name, arguments_raw } = this.#call;
		if (this.#size === undefined && arguments_raw !== undefined) {
			// Nearly always a glance is enough, where walking them would cost as much as a rule.
			this.#at_most ??= listedWith(name ?? "", measureAtMost(arguments_raw));
			if (fits(this.#at_most, bounds)) return true;
		}
		this.#size ??= measure([this.#facts?.args, name]);
		return fits(this.#size, bounds);
	}
}

/** What a list of a name and something of this size measures. */
function listedWith(name: string, { items, chars, depth }: Measure): Measure {
	return { items: items + 2, chars: Math.max(chars, name.length), depth: depth + 1 };
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

/** Whether a rule is about tools of this risk. */
export function isOfRisk(
	rule: Rule,
	risk: NonNullable<CheckedCall["tool"]>["risk"] | undefined,
): boolean {
	return rule.risks.size === 0 || (risk !== undefined && rule.risks.has(risk));
}
