import type { RuleOutcome } from "../config/policy-plan.ts";
import type { Check, CheckedCall, Verdict } from "./check.ts";
import type { CurrentPolicy } from "./current-policy.ts";
import { verdicts } from "./question.ts";
import { isAbout, type Rule, targetOf } from "./rules.ts";

/** What one rule says of a call. */
export interface ExplainedRule {
	readonly name: string;
	/** Line of the configuration. */
	readonly line: number;
	/** Whether it is about this call at all. */
	readonly about: boolean;
	readonly when: string | undefined;
	/** Whether its condition is true; undefined where that was not asked, or cannot be told. */
	readonly holds: boolean | undefined;
	readonly outcome: RuleOutcome;
	/** Why: a sentence. */
	readonly note: string;
}

/** What one check says of a call. */
export interface ExplainedCheck {
	readonly name: string;
	readonly decision: Verdict["kind"];
	readonly message: string | undefined;
}

/** Whether a call would be allowed, and why. */
export interface Explanation {
	readonly decision: Verdict["kind"];
	/** What the caller would be told. */
	readonly message: string | undefined;
	readonly rule: string | undefined;
	readonly checks: readonly ExplainedCheck[];
	readonly rules: readonly ExplainedRule[];
}

/** Checks that count calls: asking them would be one. */
const counting: ReadonlySet<string> = new Set(["limits"]);

/**
 * Says what would become of a call, without making it: every check in order, and every rule. What
 * counts calls is not asked, since a question is no call.
 */
export async function explain(
	policy: CurrentPolicy,
	checks: readonly Check[],
	call: CheckedCall,
): Promise<Explanation> {
	const explained: ExplainedCheck[] = [];
	let first: Verdict | undefined;
	let asks: Verdict | undefined;
	for (const check of checks) {
		if (counting.has(check.name)) continue;
		const verdict = await check.check(call);
		explained.push({ name: check.name, decision: verdict.kind, message: messageOf(verdict) });
		if (verdict.kind === "ask") asks ??= verdict;
		else if (verdict.kind !== "allow") first ??= verdict;
		if (verdict.kind === "allow" || verdict.kind === "ask") check.done?.(call);
	}
	const decisive = first ?? asks ?? ({ kind: "allow" } as const);
	return {
		decision: decisive.kind,
		message: messageOf(decisive),
		rule: decisive.kind === "allow" ? undefined : decisive.rule,
		checks: explained,
		rules: explainRules(policy, policy.seen(call)),
	};
}

function messageOf(verdict: Verdict): string | undefined {
	return verdict.kind === "allow" || verdict.kind === "ask" ? undefined : verdict.message;
}

function explainRules({ book }: CurrentPolicy, call: CheckedCall): ExplainedRule[] {
	const target = targetOf(call);
	const about = book.all.filter((rule) => isAbout(rule, target));
	const said = new Map(verdicts(about, call).map((verdict) => [verdict.rule, verdict]));
	return book.all.map((rule) => {
		const verdict = said.get(rule);
		const head = { name: rule.name, line: rule.plan.place.line, when: rule.plan.when };
		if (verdict === undefined) {
			const note = "It is about other calls.";
			return { ...head, about: false, holds: undefined, outcome: "pass", note };
		}
		const { holds, outcome, problem } = verdict;
		const note = problem ?? noteOf(rule, holds, outcome);
		return { ...head, about: true, holds, outcome, note };
	});
}

function noteOf(rule: Rule, holds: boolean | undefined, outcome: RuleOutcome): string {
	if (holds === undefined) return "It is about tools of other risks.";
	const because = rule.condition === undefined ? "" : `Its condition is ${String(holds)}. `;
	return because + outcome_notes[outcome];
}

const outcome_notes: Readonly<Record<RuleOutcome, string>> = {
	pass: "It has nothing against the call.",
	allow: "It allows the call.",
	deny: "It denies the call.",
	ask: "A person has to agree.",
	limit: "The call counts against its limit.",
};
