import type { Principal } from "../../identity/principal.ts";
import type { CheckedCall, Verdict } from "../../policy/check.ts";
import type { FaultCode } from "../../protocol/fault.ts";
import type { ClientSide } from "../call.ts";
import { checkedWatch } from "../checked-call.ts";
import type { GatewayContext } from "../context.ts";

/** Who wants to hear of something, and at which address. */
export interface Watcher {
	readonly principal: Principal;
	readonly client: ClientSide;
	/** Name of the endpoint. */
	readonly endpoint: string;
}

/** What somebody wants to hear of, by the request that would show it. */
export interface WatchTarget {
	readonly method: "resources/read" | "tasks/get" | "skills/list";
	readonly server: string;
	/** The server's own uri, or its own id of the task; undefined of a list. */
	readonly name: string | undefined;
}

/** Why somebody does not hear of something. */
export interface WatchRefusal {
	readonly code: FaultCode;
	/** A sentence. */
	readonly message: string;
	/** The rule or the check that decided. */
	readonly rule: string;
}

/**
 * What the checks have against somebody who wants to hear of something: it is held to what they
 * say of reading it. Limits do not count it, since nothing is called. Asked when somebody begins
 * to watch, and again with all news, because rules and off switches change meanwhile.
 */
export function watchRefusal(
	by: Watcher,
	target: WatchTarget,
	context: GatewayContext,
): WatchRefusal | undefined {
	const { checks } = context;
	if (checks.length === 0) return undefined;
	const watch = checkedWatch(by, target, context);
	for (const check of checks) {
		if (check.done !== undefined) continue;
		const verdict = verdictOf(() => check.check(watch), watch, context);
		if (verdict.kind === "allow") continue;
		if (verdict.kind === "ask") return { ...needs_person, rule: verdict.rule ?? check.name };
		const { code, message, rule } = verdict;
		return { code, message, rule: rule ?? check.name };
	}
	return undefined;
}

/** Nobody can be asked each time that something happens. */
const needs_person = {
	code: "policy_denied",
	message:
		"Reading this needs an approval, so it cannot be watched. Read it instead; who has to " +
		"approve is asked then.",
} as const;

/** Fails closed, and at once: news wait for nobody. */
function verdictOf(
	ask: () => Verdict | Promise<Verdict>,
	{ id, method }: CheckedCall,
	context: GatewayContext,
): Verdict {
	let why: unknown = new Error("a check wanted to wait where nothing can");
	try {
		const verdict = ask();
		if (!(verdict instanceof Promise)) return verdict;
		verdict.catch(() => undefined);
	} catch (error) {
		why = error;
	}
	const fault = context.defect(why, { id, method });
	const message = "Moorage could not decide whether this may be watched, so it may not.";
	return { kind: "deny", code: "policy_denied", message: `${message} Error id: ${fault.id}.` };
}
