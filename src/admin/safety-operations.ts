import type { z } from "zod";
import * as safety from "./contracts/safety.ts";
import type { Operation } from "./operations.ts";

const readers = ["operator", "auditor"] as const;
const operators = ["operator"] as const;
/** Who may know of an approval, or decide about it, is said by the approval itself. */
const everybody = ["operator", "auditor", "approver", "member"] as const;

/** Off switches and approvals. */
export const safety_operations = {
	listKillSwitches: {
		method: "GET",
		path: "/api/kill-switches",
		summary: "What is switched off, oldest first.",
		roles: readers,
		reply: safety.kill_switches_schema,
		reply_status: 200,
		problems: [],
	},
	kill: {
		method: "POST",
		path: "/api/kill-switches",
		summary: "Switches something off at once; calls in flight are cancelled.",
		roles: operators,
		body: safety.kill_request_schema,
		reply: safety.kill_switch_schema,
		reply_status: 201,
		problems: [400, 409, 413, 415, 503],
	},
	unkill: {
		method: "DELETE",
		path: "/api/kill-switches/{id}",
		summary: "Switches something on again.",
		roles: operators,
		reply: safety.kill_switch_schema,
		reply_status: 200,
		problems: [404, 503],
	},
	listApprovals: {
		method: "GET",
		path: "/api/approvals",
		summary: "Calls that wait for people, or did, as far as the caller may know; newest first.",
		roles: everybody,
		query: { state: "Only those in this state." },
		reply: safety.approvals_schema,
		reply_status: 200,
		problems: [400],
	},
	getApproval: {
		method: "GET",
		path: "/api/approvals/{id}",
		summary: "One call that waits for people, or did, with its exact arguments.",
		roles: everybody,
		reply: safety.approval_schema,
		reply_status: 200,
		problems: [404],
	},
	decideApproval: {
		method: "POST",
		path: "/api/approvals/{id}/decision",
		summary: "Approves or denies a call.",
		roles: everybody,
		body: safety.decision_schema,
		reply: safety.approval_schema,
		reply_status: 200,
		problems: [400, 403, 404, 409, 412, 413, 415],
	},
} as const satisfies Record<string, Operation>;

/** Component names of the schemas of these operations. */
export const safety_components: Readonly<Record<string, z.ZodType>> = {
	KillKind: safety.kill_kind_schema,
	KillRequest: safety.kill_request_schema,
	KillSwitch: safety.kill_switch_schema,
	KillSwitches: safety.kill_switches_schema,
	ApprovalState: safety.approval_state_schema,
	ApprovalVote: safety.vote_schema,
	Approval: safety.approval_schema,
	Approvals: safety.approvals_schema,
	ApprovalDecision: safety.decision_schema,
};
