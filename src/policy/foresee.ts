import type { Check, CheckedCall, Listed, Verdict } from "./check.ts";
import type { CurrentPolicy } from "./current-policy.ts";
import { type Prospect, prospects } from "./judge.ts";
import { settingsFor } from "./risk.ts";

/** What can be said of somebody's calls of a tool before its arguments are known. */
export interface Foresight {
	/** `depends`: on what only a call itself can tell. */
	readonly answer: "yes" | "no" | "asks" | "depends";
	/** Why, in sentences; nothing where there is nothing to say. */
	readonly because: readonly string[];
}

/** Checks that need the arguments, or that count; rules are foreseen one by one. */
const left_out: ReadonlySet<string> = new Set(["rules", "arguments", "limits"]);

/**
 * Says whether somebody may call a tool, as far as that is known without the arguments. It counts
 * nothing, and says "depends" wherever a rule looks at what only a call can tell.
 * @param call one without arguments, of a tool
 */
export async function foresee(
	policy: CurrentPolicy,
	checks: readonly Check[],
	call: CheckedCall,
): Promise<Foresight> {
	const asked: string[] = [];
	for (const check of checks) {
		if (left_out.has(check.name)) continue;
		const verdict = await check.check(call);
		if (verdict.kind === "allow" || verdict.kind === "ask") check.done?.(call);
		if (verdict.kind === "ask") asked.push(askedBy(verdict));
		else if (verdict.kind !== "allow") return { answer: "no", because: [verdict.message] };
	}
	const { server, endpoint, name = "", tool, principal } = call;
	const item: Listed = policy.seenListed({ endpoint, server, kind: "tool", name, tool });
	const { tools } = policy.serverPolicy(item.server);
	if (settingsFor(name, tools).some(({ approval }) => approval !== undefined)) {
		asked.push("The tool's own settings want a person asked.");
	}
	const found = prospects(policy.book, principal, item);
	return combined(found, policy.plan.default === "allow" || asked.length > 0, asked);
}

function combined(
	found: readonly Prospect[],
	by_default: boolean,
	asked: readonly string[],
): Foresight {
	const denied = found.find(({ outcomes }) => outcomes.every((one) => one === "deny"));
	if (denied !== undefined) {
		return { answer: "no", because: [`The rule "${denied.rule.name}" denies it.`] };
	}
	const is = (outcome: string) => (one: string) => one === outcome;
	const permits = (one: string) => one === "allow" || one === "ask";
	const allowed = by_default || found.some(({ outcomes }) => outcomes.every(permits));
	if (!allowed && !found.some(({ outcomes }) => outcomes.some(permits))) {
		return { answer: "no", because: ["No rule allows it, and only what a rule allows may be."] };
	}
	const open = found.filter(({ outcomes }) => new Set(outcomes).size > 1);
	const asks = found.filter(({ outcomes }) => outcomes.every(is("ask")));
	const because = [
		...asked,
		...asks.map(({ rule }) => `The rule "${rule.name}" wants a person asked.`),
		...open.map(openSentence),
		...found
			.filter(({ outcomes }) => outcomes.every(is("limit")))
			.map(({ rule }) => `It counts against the limit of the rule "${rule.name}".`),
	];
	const decisive = open.some(({ outcomes }) =>
		outcomes.some((one) => one === "deny" || one === "ask" || (one === "allow" && !allowed)),
	);
	if (decisive) return { answer: "depends", because };
	return { answer: asked.length + asks.length > 0 ? "asks" : "yes", because };
}

const looked_at: Readonly<Record<string, string>> = {
	args: "the arguments",
	client: "the client",
	time: "the time",
};

function openSentence({ rule, outcomes }: Prospect): string {
	const looks = [...(rule.condition?.mentions ?? [])].flatMap((name) => looked_at[name] ?? []);
	const [then, otherwise] = outcomes;
	return `The rule "${rule.name}" looks at ${looks.join(" and ")}: ${then}, or else ${otherwise}.`;
}

function askedBy({ rule }: Extract<Verdict, { kind: "ask" }>): string {
	return rule === undefined ? "A person is asked." : `A person is asked, because of "${rule}".`;
}
