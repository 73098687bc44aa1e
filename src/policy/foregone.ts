import type { Principal } from "../identity/principal.ts";
import type { CheckedCall, ToolFacts } from "./check.ts";
import { Question, type RuleVerdict } from "./question.ts";
import { type Rule, type RuleBook, targetOf } from "./rules.ts";

/** A rule on the way of a call: what it says anyway, or the question that is left. */
export type Step =
	| { readonly kind: "known"; readonly verdict: RuleVerdict }
	| { readonly kind: "open"; readonly rule: Rule };

/** Calls whose rules say the same, but for those that are open. */
interface Known {
	readonly tool: ToolFacts | undefined;
	readonly client: Pick<CheckedCall["client"], "name" | "version" | "revision" | "era">;
	readonly endpoint: string;
	readonly server: string;
	readonly method: string;
	readonly name: string | undefined;
	readonly steps: readonly Step[];
}

/** Kinds of calls that are remembered of one principal; the next one takes the oldest's place. */
const known_max = 8;

/** What only a call itself can tell. */
const of_calls = ["args", "time"] as const;

/**
 * What the rules of one book say of calls whatever their arguments are: most conditions speak of
 * who calls what, and that is the same with every call that somebody makes of a tool.
 */
export class Foregone {
	readonly #book: RuleBook;
	readonly #known = new WeakMap<Principal, { readonly calls: Known[]; next: number }>();

	constructor(book: RuleBook) {
		this.#book = book;
	}

	/**
	 * The rules about a call in order. Those that have nothing against it, and everything behind
	 * one that denies it anyway, are left out.
	 */
	stepsOf(call: CheckedCall): readonly Step[] {
		let mine = this.#known.get(call.principal);
		if (mine === undefined) {
			mine = { calls: [], next: 0 };
			this.#known.set(call.principal, mine);
		}
		for (const known of mine.calls) if (isLike(known, call)) return known.steps;
		const { tool, client, endpoint, server, method, name } = call;
		const steps = stepsOf(this.#book.about(targetOf(call)), call);
		mine.calls[mine.next] = { tool, client, endpoint, server, method, name, steps };
		mine.next = (mine.next + 1) % known_max;
		return steps;
	}
}

function isLike(known: Known, call: CheckedCall): boolean {
	return (
		known.tool === call.tool &&
		known.name === call.name &&
		known.server === call.server &&
		known.method === call.method &&
		known.endpoint === call.endpoint &&
		(known.client === call.client || isSameClient(known.client, call.client))
	);
}

function isSameClient(one: Known["client"], other: Known["client"]): boolean {
	return (
		one.name === other.name &&
		one.version === other.version &&
		one.revision === other.revision &&
		one.era === other.era
	);
}

function stepsOf(rules: readonly Rule[], call: CheckedCall): Step[] {
	const steps: Step[] = [];
	const question = new Question(call);
	for (const rule of rules) {
		if (of_calls.some((name) => rule.condition?.mentions.has(name))) {
			steps.push({ kind: "open", rule });
			continue;
		}
		const verdict = question.ask(rule);
		if (verdict.outcome !== "pass") steps.push({ kind: "known", verdict });
		if (verdict.outcome === "deny") break;
	}
	return steps;
}
