import { fail, type Result, succeed } from "../lib/result.ts";
import { type Demand, isStricter, joinDemands } from "../protocol/demand.ts";
import type { Approval, ApprovalState, DecidedBy, Vote } from "./approval.ts";
import { hashArguments } from "./arguments-hash.ts";
import { type Decider, isCaller, isVouchedFor, whyNotDecide } from "./deciders.ts";

/** A decision as it comes in. */
export interface Decision {
	readonly by: Decider;
	readonly verdict: "approve" | "deny";
	readonly reason: string | undefined;
	readonly via: DecidedBy;
	/** Hash of the arguments that were looked at; undefined: those that the caller sent. */
	readonly seen_hash: string | undefined;
	/** Other arguments to run with: raw JSON of an object. */
	readonly edited: string | undefined;
}

/** Why a decision does not count. */
export interface DecisionProblem {
	readonly code: "not_pending" | "not_allowed" | "arguments_changed" | "invalid" | "unknown";
	/** A sentence. */
	readonly message: string;
}

/** Reasons and edited arguments are no longer than this. */
export const reason_chars_max = 1_000;
export const edited_bytes_max = 1024 * 1024;

/** A pending approval after one more decision. */
export function afterDecision(
	approval: Approval,
	decision: Decision,
	now_ms: number,
): Result<Approval, DecisionProblem> {
	const problem = problemOf(approval, decision, now_ms);
	if (problem !== undefined) return fail(problem);
	const { by, verdict, reason, via, edited } = decision;
	const change =
		verdict === "approve" &&
		edited !== undefined &&
		hashArguments(edited) !== approval.arguments_hash
			? { arguments: edited, arguments_hash: hashArguments(edited), edited_by: by.id }
			: {};
	const changed = { ...approval, ...change };
	const vote: Vote = {
		approver: by.id,
		...(by.person === undefined ? {} : { person: by.person }),
		verdict,
		reason,
		via,
		arguments_hash: changed.arguments_hash,
		at_ms: now_ms,
	};
	const others = changed.votes.filter((other) => !isSameDecider(other, vote));
	const voted = next({ ...changed, votes: [...others, vote] });
	if (verdict === "deny") return succeed(ended(voted, "denied", now_ms));
	const agreed = agreeing(voted);
	if (agreed.length < approval.demand.count) return succeed(voted);
	const expires_at_ms = now_ms + approval.demand.expires_ms;
	return succeed({ ...voted, state: "approved", decided_at_ms: now_ms, expires_at_ms });
}

/** One that has not run and that its caller takes back; undefined for any other. */
export function afterWithdrawal(
	approval: Approval,
	caller: string,
	reason: string | undefined,
	now_ms: number,
): Approval | undefined {
	if (approval.state !== "pending" && approval.state !== "approved") return undefined;
	if (!isCaller(approval, caller)) return undefined;
	const { arguments_hash } = approval;
	const vote = {
		approver: caller,
		verdict: "deny",
		reason: reason ?? "The caller took it back.",
		via: "client",
		arguments_hash,
		at_ms: now_ms,
	} as const;
	return ended({ ...next(approval), votes: [...approval.votes, vote] }, "denied", now_ms);
}

/** Whoever decides twice, once through a webhook, is still one; so is the webhook itself. */
function isSameDecider(one: Vote, other: Vote): boolean {
	if (one.approver === other.approver) return true;
	const isNamed = (person: string | undefined, { approver, person: also }: Vote) =>
		person !== undefined &&
		(isVouchedFor(person, approver) || (also !== undefined && isVouchedFor(person, also)));
	return isNamed(one.person, other) || isNamed(other.person, one);
}

/** Who has agreed to the arguments as they are. */
export function agreeing({ votes, arguments_hash }: Approval): readonly string[] {
	return votes
		.filter((vote) => vote.verdict === "approve" && vote.arguments_hash === arguments_hash)
		.map(({ approver }) => approver);
}

function problemOf(
	approval: Approval,
	decision: Decision,
	now_ms: number,
): DecisionProblem | undefined {
	if (approval.state !== "pending" || isExpired(approval, now_ms)) {
		const state = approval.state === "pending" ? "expired" : approval.state;
		return { code: "not_pending", message: `Nothing is to be decided any more: it is ${state}.` };
	}
	const why_not = whyNotDecide(approval, decision.by);
	if (why_not !== undefined) return { code: "not_allowed", message: why_not };
	const { seen_hash, reason, edited, verdict } = decision;
	// Whoever refuses refuses the call, whichever arguments it has by now.
	const seen = seen_hash ?? (verdict === "approve" ? approval.asked_hash : undefined);
	if (seen !== undefined && seen !== approval.arguments_hash) {
		const message = "Somebody has changed the arguments meanwhile. Look at them again.";
		return { code: "arguments_changed", message };
	}
	if (reason !== undefined && reason.length > reason_chars_max) {
		return { code: "invalid", message: `A reason has at most ${reason_chars_max} characters.` };
	}
	if (edited === undefined || verdict === "deny") return undefined;
	if (!approval.demand.edit) {
		return { code: "not_allowed", message: "The arguments of this call may not be changed." };
	}
	if (Buffer.byteLength(edited) > edited_bytes_max || !isJsonObject(edited)) {
		return { code: "invalid", message: "Arguments are a JSON object of at most 1 MiB." };
	}
	return undefined;
}

/**
 * One of which more is demanded than when it was asked for: whoever has agreed to less has to be
 * asked anew. Undefined where nothing more is demanded, or nothing is to be decided any more.
 */
export function afterDemand(
	approval: Approval,
	demand: Demand,
	now_ms: number,
): Approval | undefined {
	const { state, asked, asked_hash } = approval;
	if ((state !== "pending" && state !== "approved") || isExpired(approval, now_ms))
		return undefined;
	if (!isStricter(demand, approval.demand)) return undefined;
	const joined = joinDemands(approval.demand, demand);
	const unedited = { arguments: asked, arguments_hash: asked_hash, edited_by: undefined };
	return {
		...next(approval),
		...(joined.edit ? {} : unedited),
		state: "pending",
		demand: joined,
		votes: [],
		decided_at_ms: undefined,
		expires_at_ms: now_ms + joined.expires_ms,
	};
}

/** Whether its time is over, for one that waits for people or for its caller. */
export function isExpired({ state, expires_at_ms }: Approval, now_ms: number): boolean {
	return (state === "pending" || state === "approved") && now_ms >= expires_at_ms;
}

/** One whose time is over. */
export function afterExpiry(approval: Approval, now_ms: number): Approval | undefined {
	return isExpired(approval, now_ms) ? ended(next(approval), "expired", now_ms) : undefined;
}

/** An approved one whose call goes to its server now; undefined where it may not. */
export function afterClaim(approval: Approval, now_ms: number): Approval | undefined {
	if (approval.state !== "approved" || isExpired(approval, now_ms)) return undefined;
	return { ...next(approval), state: "running" };
}

/** What is known of a call that went to its server. `unsent`: the server never saw it. */
export type Fate = "done" | "unknown" | "unsent";

/** A running one whose fate is known, or never will be; undefined for any other. */
export function afterRun(approval: Approval, fate: Fate, now_ms: number): Approval | undefined {
	if (approval.state !== "running") return undefined;
	if (fate === "unsent") return { ...next(approval), state: "approved" };
	return ended(next(approval), fate, now_ms);
}

function next(approval: Approval): Approval {
	return { ...approval, revision: approval.revision + 1 };
}

function ended(approval: Approval, state: ApprovalState, now_ms: number): Approval {
	const decided_at_ms = approval.decided_at_ms ?? now_ms;
	return { ...approval, state, decided_at_ms, ended_at_ms: now_ms };
}

function isJsonObject(text: string): boolean {
	try {
		const value: unknown = JSON.parse(text);
		return typeof value === "object" && value !== null && !Array.isArray(value);
	} catch {
		return false;
	}
}
