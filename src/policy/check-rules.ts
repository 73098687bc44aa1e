import type { ApprovalPlan } from "../config/policy-plan.ts";
import type { Principal } from "../identity/principal.ts";
import { type Demand, joinDemands } from "../protocol/demand.ts";
import {
	allowed,
	type Check,
	type CheckedCall,
	type Listed,
	type Place,
	type Verdict,
} from "./check.ts";
import type { CurrentPolicy } from "./current-policy.ts";
import { couldBeAllowed, couldUse, judge } from "./judge.ts";
import type { RuleVerdict } from "./question.ts";
import { settingsFor } from "./risk.ts";
import type { Rule, RuleBook } from "./rules.ts";

/** The rules of the configuration: the first that denies wins, and says which one it is. */
export class RulesCheck implements Check {
	readonly name = "rules";
	readonly #policy: CurrentPolicy;

	constructor(policy: CurrentPolicy) {
		this.#policy = policy;
	}

	check(given: CheckedCall): Verdict {
		const { foregone, plan, seen } = this.#policy;
		const call = seen(given);
		const { denied, asks, limits, allowed: is_allowed } = judge(foregone, call);
		if (denied !== undefined) return refusal(denied);
		const approval = this.#demandOf(asks, call);
		// What a person agrees to is allowed; nobody is asked for nothing.
		if (plan.default === "deny" && !is_allowed && approval === undefined) return not_allowed;
		if (limits.length > 0) given.notes.limits = limits;
		if (approval === undefined) return allowed;
		return { kind: "ask", rule: asks[0]?.name ?? tool_setting, approval };
	}

	/** What the rules that ask and the tool's own settings demand together. */
	#demandOf(asks: readonly Rule[], call: CheckedCall): Demand | undefined {
		let demand: Demand | undefined = approvalOf(this.#policy, call);
		for (const { plan } of asks) {
			if (plan.approval !== undefined) demand = joinDemands(demand, plan.approval);
		}
		return demand;
	}

	/** Undefined where no rule could keep anything out of a list: then none need be filtered. */
	get mayList(): ((who: Principal, item: Listed) => boolean) | undefined {
		const { book, plan } = this.#policy;
		return book.all.length === 0 && plan.default === "allow" ? undefined : this.#mayList;
	}

	readonly mayUse = (who: Principal, { endpoint, server }: Place): boolean => {
		const { book, seenListed } = this.#policy;
		const { server: origin } = seenListed({ endpoint, server, ...nothing_listed });
		// It is asked with all that servers say outside of calls.
		const known = knownOf(book, who);
		const place = `${origin}\n${endpoint}`;
		let may_use = known.get(place);
		if (may_use === undefined) {
			may_use = this.#couldUse(who, { endpoint, server: origin });
			if (known.size >= places_max) known.clear();
			known.set(place, may_use);
		}
		return may_use;
	};

	#couldUse(who: Principal, place: Place): boolean {
		const { book, plan } = this.#policy;
		// A tool that people decide about is allowed to whoever they agree with.
		const is_asked = this.#policy
			.serverPolicy(place.server)
			.tools.some(({ approval }) => approval !== undefined);
		const by_default = is_asked ? "allow" : plan.default;
		return couldUse(book, by_default, who, place);
	}

	readonly #mayList = (who: Principal, given: Listed): boolean => {
		const { book, plan, seenListed } = this.#policy;
		const item = seenListed(given);
		if (item.kind === "tool" && approvalFor(this.#policy, item.server, item.name) !== undefined) {
			return couldBeAllowed(book, "allow", who, item);
		}
		return couldBeAllowed(book, plan.default, who, item);
	};
}

/** Places that are remembered of one principal. */
const places_max = 1_000;

/** What the rules say of somebody at each place; a book is exchanged with all that it stands by. */
const usable = new WeakMap<RuleBook, WeakMap<Principal, Map<string, boolean>>>();

function knownOf(book: RuleBook, who: Principal): Map<string, boolean> {
	let of_book = usable.get(book);
	if (of_book === undefined) {
		of_book = new WeakMap();
		usable.set(book, of_book);
	}
	let known = of_book.get(who);
	if (known === undefined) {
		known = new Map();
		of_book.set(who, known);
	}
	return known;
}

const nothing_listed = { kind: "tool", name: "", tool: undefined } as const;

/** What stands in records where a tool's own settings, and no rule, want a person asked. */
const tool_setting = "tools";

const not_allowed: Verdict = Object.freeze({
	kind: "deny",
	code: "policy_denied",
	message:
		"No rule allows this call, and what is not allowed is denied here. Ask whoever runs this " +
		"gateway for a rule that allows it.",
	rule: "default",
});

/** The refusal of a call by a rule, in words. */
export function refusal({ rule, problem }: RuleVerdict): Extract<Verdict, { kind: "deny" }> {
	const { name, plan } = rule;
	const message =
		problem === undefined
			? (plan.message ?? `The rule "${name}" does not allow this call.`)
			: `The rule "${name}" cannot be decided, so the call is denied: ${problem}`;
	return { kind: "deny", code: "policy_denied", message, rule: name };
}

/** The approval that the tool's own settings demand. */
export function approvalOf(
	policy: Pick<CurrentPolicy, "serverPolicy">,
	call: Pick<CheckedCall, "method" | "server" | "name">,
): ApprovalPlan | undefined {
	if (call.method !== "tools/call" || call.name === undefined) return undefined;
	return approvalFor(policy, call.server, call.name);
}

function approvalFor(
	policy: Pick<CurrentPolicy, "serverPolicy">,
	server: string,
	tool: string,
): ApprovalPlan | undefined {
	const { tools } = policy.serverPolicy(server);
	if (tools.length === 0) return undefined;
	return settingsFor(tool, tools).find(({ approval }) => approval !== undefined)?.approval;
}
