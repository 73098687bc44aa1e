import type { CheckedCall, Verdict } from "../../policy/check.ts";
import { type Demand, joinDemands } from "../../protocol/demand.ts";
import type { Call, CallTarget, HttpOutcome, Reply } from "../call.ts";
import { checkedCall } from "../checked-call.ts";
import type { GatewayContext } from "../context.ts";
import { readRefusal, refusedReading } from "../read-refusal.ts";
import { prompt_reference, referenceOf } from "./find-target.ts";

/** What a check has against a call. */
type Objection = Exclude<Verdict, { kind: "allow" }>;
type Ask = Extract<Verdict, { kind: "ask" }>;

/**
 * May they: every check in order. The first that denies or limits ends the call; one that wants a
 * person asked is remembered, because a later one may still deny. A check that throws denies.
 */
export function decide(
	call: Call,
	context: GatewayContext,
): Reply | undefined | Promise<Reply | undefined> {
	if (context.checks.length === 0 || call.target === undefined) return undefined;
	const began_ms = context.clock.monotonic();
	const unread = completionRefusal(call, call.target, context);
	if (unread !== undefined) return unread;
	call.notes.checked = checkedCall(call, call.target, context);
	context.running.add(call);
	const reply = runFrom(0, undefined, call, context);
	if (!(reply instanceof Promise)) {
		call.notes.policy_ms = context.clock.monotonic() - began_ms;
		return reply;
	}
	return reply.finally(() => {
		call.notes.policy_ms = context.clock.monotonic() - began_ms - call.notes.approval_ms;
	});
}

/** A completion tells of what it completes: who may not read that hears nothing of it. */
function completionRefusal(
	call: Call,
	{ server, name }: CallTarget,
	context: GatewayContext,
): Reply | undefined {
	if (call.method !== "completion/complete") return undefined;
	const is_prompt = referenceOf(call.message)?.type === prompt_reference;
	const method = is_prompt ? "prompts/get" : "resources/read";
	const by = { principal: call.principal, client: call.client, endpoint: call.endpoint.name };
	const refusal = readRefusal(by, { method, server: server.name, name }, context);
	return refusal && refusedReading(call, server.name, refusal, context);
}

/** Runs the checks from a position on; only one that has to wait makes the rest wait. */
function runFrom(
	first: number,
	asked: Ask | undefined,
	call: Call,
	context: GatewayContext,
): Reply | undefined | Promise<Reply | undefined> {
	let ask = asked;
	for (let at = first; at < context.checks.length; at += 1) {
		const verdict = verdictOf(at, call, context);
		if (verdict instanceof Promise) {
			return verdict
				.catch((error: unknown) => broken(error, call, context))
				.then((settled) => {
					const ended = weigh(settled, at, call, context);
					if (ended !== undefined) return ended;
					return runFrom(at + 1, joinAsks(ask, settled), call, context);
				});
		}
		const ended = weigh(verdict, at, call, context);
		if (ended !== undefined) return ended;
		ask = joinAsks(ask, verdict);
	}
	if (ask !== undefined) return awaitApproval(ask, call, context);
	call.notes.decision = "allow";
	return undefined;
}

/** Several that ask are one question, of which everything is as the strictest wants it. */
function joinAsks(ask: Ask | undefined, verdict: Verdict): Ask | undefined {
	if (verdict.kind !== "ask" || ask === undefined) return verdict.kind === "ask" ? verdict : ask;
	return { ...ask, approval: joinDemands(ask.approval, verdict.approval) };
}

function verdictOf(at: number, call: Call, context: GatewayContext): Verdict | Promise<Verdict> {
	const { checked } = call.notes;
	const check = context.checks[at];
	if (checked === undefined || check === undefined) throw new Error("no such check");
	try {
		return check.check(checked);
	} catch (error) {
		return broken(error, call, context);
	}
}

/** A verdict that ends the call becomes its reply; one that lets it go on is counted. */
function weigh(
	verdict: Verdict,
	at: number,
	call: Call,
	context: GatewayContext,
): Reply | undefined {
	const check = context.checks[at];
	if (verdict.kind === "allow" || verdict.kind === "ask") {
		if (check?.done !== undefined) {
			call.notes.counted_by ??= [];
			call.notes.counted_by.push(at);
		}
		return undefined;
	}
	return refuse(verdict, check?.name, call, context);
}

function refuse(
	verdict: Exclude<Objection, { kind: "ask" }>,
	check: string | undefined,
	call: Call,
	context: GatewayContext,
): Reply {
	call.notes.decision = verdict.kind;
	call.notes.rule = verdict.rule ?? check;
	const { code, message } = verdict;
	const fault = context.fault(
		{
			code,
			message,
			level: "info",
			server: call.target?.server.name,
			retry_safe: true,
			...(verdict.kind === "limit" ? { retry_after_ms: verdict.retry_after_ms } : {}),
		},
		{ ...context.fieldsOf(call), rule: call.notes.rule, principal: call.principal.id },
	);
	return { kind: "fault", fault, ...httpOf(verdict, call, context) };
}

function httpOf(
	verdict: Exclude<Objection, { kind: "ask" }>,
	call: Call,
	context: GatewayContext,
): { http: HttpOutcome } | undefined {
	if (verdict.kind === "limit") {
		const seconds = Math.max(1, Math.ceil(verdict.retry_after_ms / 1000));
		return { http: { headers: { "retry-after": String(seconds) } } };
	}
	if (verdict.scopes === undefined || call.principal.via !== "token") return undefined;
	const challenge = context.stepUp(call.endpoint, verdict.scopes);
	return { http: { status: 403, headers: { "www-authenticate": challenge } } };
}

async function awaitApproval(
	ask: Ask,
	call: Call,
	context: GatewayContext,
): Promise<Reply | undefined> {
	call.notes.decision = "ask";
	call.notes.rule = ask.rule;
	const { approvals } = context;
	if (approvals === undefined) {
		const message = "This call needs an approval, and this gateway has nobody to ask.";
		return refuse({ kind: "deny", code: "policy_denied", message }, "approvals", call, context);
	}
	const began_ms = context.clock.monotonic();
	try {
		return await approvals.settle(call, ask, context);
	} finally {
		call.notes.approval_ms = context.clock.monotonic() - began_ms;
	}
}

/** What the checks say of a call that somebody has agreed to. */
export type SecondThought =
	| { readonly kind: "refused"; readonly reply: Reply }
	/** What people have to agree to now; undefined: nobody is asked any more. */
	| { readonly kind: "fine"; readonly demand: Demand | undefined };

/**
 * The checks once more, after somebody has agreed: time has passed, and the arguments may be
 * others. Checks that count calls have counted this one already.
 */
export async function recheck(
	call: Call,
	checked: CheckedCall,
	context: GatewayContext,
): Promise<SecondThought> {
	let ask: Ask | undefined;
	for (const check of context.checks) {
		if (check.done !== undefined) continue;
		let verdict: Verdict;
		try {
			verdict = await check.check(checked);
		} catch (error) {
			verdict = broken(error, call, context);
		}
		if (verdict.kind === "deny" || verdict.kind === "limit") {
			return { kind: "refused", reply: refuse(verdict, check.name, call, context) };
		}
		ask = joinAsks(ask, verdict);
	}
	return { kind: "fine", demand: ask?.approval };
}

/** Fails closed: what cannot be decided is denied, and the log says why. */
function broken(error: unknown, call: Call, context: GatewayContext): Verdict {
	const fault = context.defect(error, call);
	const message = "Moorage could not decide whether this call is allowed, so it is not.";
	return { kind: "deny", code: "policy_denied", message: `${message} Error id: ${fault.id}.` };
}
