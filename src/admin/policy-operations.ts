import * as policy from "./contracts/policy.ts";
import type { Operation } from "./operations.ts";

const readers = ["operator", "auditor"] as const;

/** The operations about who may do what. */
export const policy_operations = {
	getPolicy: {
		method: "GET",
		path: "/api/policy",
		summary: "The rules that decide calls, and the risk class of every known tool.",
		roles: readers,
		reply: policy.policy_schema,
		reply_status: 200,
		problems: [],
	},
	testPolicy: {
		method: "POST",
		path: "/api/policy/test",
		summary: "Whether a call would be allowed, and why; makes no call and counts none.",
		roles: readers,
		body: policy.policy_test_schema,
		reply: policy.policy_answer_schema,
		reply_status: 200,
		problems: [400, 404, 413, 415],
	},
	getChecklist: {
		method: "GET",
		path: "/api/checklist",
		summary: "The launch checklist: whether others may be let in, with the evidence.",
		roles: readers,
		query: { server: "Only this server; all where absent." },
		reply: policy.checklist_schema,
		reply_status: 200,
		problems: [404],
	},
} as const satisfies Record<string, Operation>;
