import { type Approval, isLive } from "../../approvals/approval.ts";
import { kept_ms } from "../../approvals/approvals.ts";
import { agreeing } from "../../approvals/machine.ts";
import type { Outcome } from "../../approvals/outcomes.ts";
import { rpc_codes } from "../../protocol/codes.ts";
import { type FaultCode, fault_rpc_codes } from "../../protocol/fault.ts";
import { deniedText, pendingText } from "./texts.ts";

/** How often a client should ask: while people decide, and while the call runs. */
const poll_ms = 5_000;
const poll_running_ms = 1_000;
/** How long the result stays to be fetched, beside the time that people had. */
const fetch_ms = 60 * 60_000;

/** What is known of a call that is a task. */
export interface TaskFacts {
	readonly approval: Approval;
	/** Where people decide. */
	readonly url: string;
	/** What the call came to, where that is kept. */
	readonly outcome: Outcome | undefined;
	/** What its server asks the client: a raw `inputRequests` object. */
	readonly questions: string | undefined;
	/** Why it did not run when it was to run last: a sentence. */
	readonly obstacle: string | undefined;
}

interface Status {
	readonly status: "working" | "input_required" | "completed" | "failed" | "cancelled";
	readonly message?: string;
	/** Raw members that follow the summary. */
	readonly more?: string;
}

/** How long a task is kept from its making on: time to decide, time to call, time to fetch. */
export function taskTtl({ demand }: Pick<Approval, "demand">): number {
	return Math.min(2 * demand.expires_ms + fetch_ms, kept_ms);
}

/** Until when a result that is there now is kept. */
export function keptUntil(approval: Approval, now_ms: number): number {
	return Math.max(approval.created_at_ms + taskTtl(approval), now_ms + fetch_ms);
}

/** The raw members of a task as `tools/call` answers it (SEP-2663, `CreateTaskResult`). */
export function taskSummary(task_id: string, facts: TaskFacts): string {
	return membersOf(task_id, facts, statusOf(facts));
}

/** The same with what the call came to, as `tasks/get` answers it. */
export function taskDetails(task_id: string, facts: TaskFacts): string {
	const status = statusOf(facts);
	const { more } = status;
	return `${membersOf(task_id, facts, status)}${more === undefined ? "" : `,${more}`}`;
}

function membersOf(task_id: string, { approval }: TaskFacts, { status, message }: Status): string {
	const { created_at_ms, decided_at_ms, ended_at_ms, votes, state } = approval;
	const last_vote_ms = votes.at(-1)?.at_ms;
	const changed_ms = ended_at_ms ?? decided_at_ms ?? last_vote_ms ?? created_at_ms;
	const summary = {
		taskId: task_id,
		status,
		...(message === undefined ? {} : { statusMessage: message }),
		createdAt: new Date(created_at_ms).toISOString(),
		lastUpdatedAt: new Date(changed_ms).toISOString(),
		ttlMs: taskTtl(approval),
		pollIntervalMs: state === "pending" ? poll_ms : poll_running_ms,
	};
	return JSON.stringify(summary).slice(1, -1);
}

function statusOf({ approval, url, outcome, questions, obstacle }: TaskFacts): Status {
	const { id, state } = approval;
	if (!isLive(approval)) return outcome === undefined ? endOf(approval) : cameTo(outcome);
	if (state === "pending") {
		const then = "Ask about this task again later: once it is approved, it runs.";
		return { status: "working", message: pendingText(approval, url, then) };
	}
	if (questions !== undefined) {
		return { status: "input_required", more: `"inputRequests":${questions}` };
	}
	if (state === "running")
		return { status: "working", message: `It is approved (${id}) and runs.` };
	const message =
		obstacle === undefined
			? `It is approved (${id}) and runs as soon as this task is asked about.`
			: `It is approved (${id}), but could not run yet: ${obstacle}`;
	return { status: "working", message };
}

function cameTo(outcome: Outcome): Status {
	switch (outcome.kind) {
		case "result":
			return { status: "completed", more: `"result":${outcome.json}` };
		case "error":
			return { status: "failed", more: `"error":${outcome.json}` };
		case "cancelled":
			return { status: "cancelled", message: "It was cancelled while it ran." };
		case "task":
			// Whoever asks about the task of a server is sent on there, and not answered here.
			return { status: "working" };
	}
}

/** How a call ended of which no result is kept. */
function endOf(approval: Approval): Status {
	const { id, state, votes, principal, demand } = approval;
	switch (state) {
		case "denied": {
			const last = votes.at(-1);
			if (last?.approver === principal && last.via === "client") {
				return { status: "cancelled", message: "Its caller took it back. It has not run." };
			}
			return failed("approval_denied", deniedText(approval));
		}
		case "expired":
			return failed(
				"approval_denied",
				agreeing(approval).length >= demand.count
					? `This call was approved (${id}), but nobody asked about it in time. It has not run.`
					: `Nobody decided about this call in time (${id}). It has not run.`,
			);
		case "unknown":
			return failed(
				undefined,
				`This call may have run (${id}): it was broken off while it did, so nobody knows here. ` +
					"Look first whether it had its effect.",
			);
		default:
			return failed(
				undefined,
				`This call has run (${id}), but its result is not kept here: it was told to whoever ` +
					"made the same call again, or was too large.",
			);
	}
}

function failed(code: FaultCode | undefined, message: string): Status {
	const error =
		code === undefined
			? { code: rpc_codes.internal_error, message }
			: { code: fault_rpc_codes[code], message, data: { code } };
	return { status: "failed", message, more: `"error":${JSON.stringify(error)}` };
}
