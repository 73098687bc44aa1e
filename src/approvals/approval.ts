import type { Demand } from "../protocol/demand.ts";
import type { RiskClass } from "../protocol/risk.ts";

/**
 * Where an approval is.
 *
 *   pending --enough people agree--> approved --the call goes on--> running --reply--> done
 *      |  \                            |   ^                          |  \
 *      |   --somebody refuses--> denied |   --the server never saw it--   --no reply--> unknown
 *      --nobody decides--> expired <----+-- nobody makes the call
 */
export type ApprovalState =
	| "pending"
	| "approved"
	/** It was handed to its server, and what became of it is not known yet. */
	| "running"
	| "done"
	/** It was handed to its server, and what became of it will never be known here. */
	| "unknown"
	| "denied"
	| "expired";

/** How a decision came in. */
export type DecidedBy = "page" | "api" | "webhook" | "client";

/** One person's decision. */
export interface Vote {
	/** Id of the principal. */
	readonly approver: string;
	/** For whom a webhook vouches: the principal that it says has decided. */
	readonly person?: string | undefined;
	readonly verdict: "approve" | "deny";
	/** Told to the caller when it is a refusal. */
	readonly reason: string | undefined;
	/** Of the arguments that were agreed to: an edit takes agreement to others away. */
	readonly arguments_hash: string;
	readonly via: DecidedBy;
	readonly at_ms: number;
}

/** A call that waits for people, or did. */
export interface Approval {
	/** `appr_` and random characters. */
	readonly id: string;
	/** Counts its changes, from 1. */
	readonly revision: number;
	readonly state: ApprovalState;
	/** Id of the caller. */
	readonly principal: string;
	/** Id of whoever really makes the call, where that is somebody else, in the caller's name. */
	readonly made_by: string | undefined;
	readonly tenant: string;
	/** What was authenticated in the caller's name. */
	readonly client: string | undefined;
	/** What the caller's client calls itself. */
	readonly client_name: string;
	readonly endpoint: string;
	readonly server: string;
	/** The server's own name of the tool. */
	readonly tool: string;
	readonly risk: RiskClass | undefined;
	/** The rule that wants a person asked. */
	readonly rule: string | undefined;
	readonly demand: Demand;
	/** The arguments that the caller sent: raw JSON. */
	readonly asked: string;
	/** Of `asked`: what the same call is found again by. */
	readonly asked_hash: string;
	/** The arguments as they are to run: raw JSON. */
	readonly arguments: string;
	readonly arguments_hash: string;
	/** Who changed the arguments last. */
	readonly edited_by: string | undefined;
	readonly votes: readonly Vote[];
	readonly created_at_ms: number;
	/** When a pending one is given up, and an approved one is of no more use. */
	readonly expires_at_ms: number;
	readonly decided_at_ms: number | undefined;
	readonly ended_at_ms: number | undefined;
	/** The same call before it, where its fate is not known: it may have been executed. */
	readonly after: string | undefined;
}

/** What an approval is asked for. */
export type ApprovalRequest = Pick<
	Approval,
	| "principal"
	| "made_by"
	| "tenant"
	| "client"
	| "client_name"
	| "endpoint"
	| "server"
	| "tool"
	| "risk"
	| "rule"
	| "demand"
	| "asked"
	| "asked_hash"
>;

/** States of which something can still become. */
export const live_states = ["pending", "approved", "running"] as const;

/** Whether something can still become of it. */
export function isLive({ state }: Pick<Approval, "state">): boolean {
	return (live_states as readonly string[]).includes(state);
}
