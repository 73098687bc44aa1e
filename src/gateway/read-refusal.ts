import type { Principal } from "../identity/principal.ts";
import type { CheckedCall, Verdict } from "../policy/check.ts";
import type { FaultCode } from "../protocol/fault.ts";
import type { Call, ClientSide, Reply } from "./call.ts";
import { checkedRead } from "./checked-call.ts";
import type { GatewayContext } from "./context.ts";

/** Who wants to hear of something beside its calls, and at which address. */
export interface Reader {
	readonly principal: Principal;
	readonly client: ClientSide;
	/** Name of the endpoint. */
	readonly endpoint: string;
}

/** What somebody wants to hear of, by the request that shows it. */
export interface ReadTarget {
	readonly method: "resources/read" | "prompts/get" | "tasks/get" | "skills/list";
	readonly server: string;
	/** The server's own name, uri or id of it; undefined of a list. */
	readonly name: string | undefined;
}

/** Why somebody does not hear of something. */
export interface ReadRefusal {
	readonly code: FaultCode;
	/** A sentence. */
	readonly message: string;
	/** The rule or the check that decided. */
	readonly rule: string;
}

/**
 * What the checks have against somebody who wants to hear of something in another way than by
 * reading it, such as by watching it: it is held to what they say of reading it. Limits do not
 * count it, since it is not read. Whoever watches is asked about again with all news, because
 * rules and off switches change meanwhile.
 */
export function readRefusal(
	by: Reader,
	target: ReadTarget,
	context: GatewayContext,
): ReadRefusal | undefined {
	const { checks } = context;
	if (checks.length === 0) return undefined;
	const watch = checkedRead(by, target, context);
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
		"Reading this needs an approval, so it can only be read, and cannot be watched or completed. " +
		"Who has to approve is asked then.",
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
	const message = "Moorage could not decide whether this may be read, so it may not.";
	return { kind: "deny", code: "policy_denied", message: `${message} Error id: ${fault.id}.` };
}

/** The reply to a call that ends with such a refusal; the call's notes say who decided. */
export function refusedReading(
	call: Call,
	server: string,
	{ code, message, rule }: ReadRefusal,
	context: GatewayContext,
): Reply {
	call.notes.decision = "deny";
	call.notes.rule = rule;
	const parts = { code, message, level: "info", server, retry_safe: true } as const;
	const fields = { ...context.fieldsOf(call), server, rule, principal: call.principal.id };
	return { kind: "fault", fault: context.fault(parts, fields) };
}
