import type { Approval, ApprovalRequest } from "../../src/approvals/approval.ts";
import { hashArguments } from "../../src/approvals/arguments-hash.ts";
import type { Decider } from "../../src/approvals/deciders.ts";
import type { Decision } from "../../src/approvals/machine.ts";
import type { Demand } from "../../src/protocol/demand.ts";

/** What is demanded where a test says nothing else: one approver, who may be the caller. */
export const plain_demand: Demand = {
	approvers: [],
	count: 1,
	other_than_caller: false,
	edit: false,
	expires_ms: 60_000,
};

/** The call that Ana of Acme wants to make: delete a file. */
export function sampleRequest(
	change: Partial<ApprovalRequest> = {},
	demand: Partial<Demand> = {},
): ApprovalRequest {
	const asked = change.asked ?? '{"path":"/a"}';
	return {
		principal: "acme/ana",
		made_by: undefined,
		tenant: "acme",
		client: "key:laptop",
		client_name: "tester",
		endpoint: "mcp",
		server: "files",
		tool: "delete",
		risk: "destructive",
		rule: "by risk: destructive",
		demand: { ...plain_demand, ...demand },
		asked,
		asked_hash: hashArguments(asked),
		...change,
	};
}

/** A pending approval of the sample request. */
export function sampleApproval(
	change: Partial<Approval> = {},
	demand: Partial<Demand> = {},
): Approval {
	const request = sampleRequest({}, demand);
	return {
		...request,
		id: "appr_1",
		revision: 1,
		state: "pending",
		arguments: request.asked,
		arguments_hash: request.asked_hash,
		edited_by: undefined,
		votes: [],
		created_at_ms: 0,
		expires_at_ms: request.demand.expires_ms,
		decided_at_ms: undefined,
		ended_at_ms: undefined,
		after: undefined,
		...change,
	};
}

/** A person of Acme with roles; approver where none are named. */
export function person(user: string, roles: readonly string[] = ["approver"]): Decider {
	return { id: `acme/${user}`, tenant: "acme", roles };
}

/** Agreement, or what a test makes of it. */
export function decision(by: Decider, change: Partial<Decision> = {}): Decision {
	return {
		by,
		verdict: "approve",
		reason: undefined,
		via: "api",
		seen_hash: undefined,
		edited: undefined,
		...change,
	};
}
