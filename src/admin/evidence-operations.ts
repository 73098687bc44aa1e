import * as evidence from "./contracts/evidence.ts";
import type { Operation } from "./operations.ts";

const readers = ["operator", "auditor"] as const;
const auditors = ["auditor"] as const;

/** What has happened: the history of calls, and the audit. */
export const evidence_operations = {
	listCalls: {
		method: "GET",
		path: "/api/calls",
		summary: "Calls of the past, the latest first.",
		roles: readers,
		query: {
			since: "Ended then or later: `1h`, `30m`, or a time as ISO 8601.",
			until: "Ended before then.",
			user: "Of a person: `ana`, or `acme/ana`.",
			tenant: "Of a tenant.",
			client: "Of an authenticated client.",
			server: "Of a server.",
			name: "Of a tool, a prompt or a uri.",
			method: "Of a method, such as `tools/call`.",
			endpoint: "At an address.",
			session: "Of a session.",
			trace: "Of a trace: 32 hex digits.",
			status: "`ok`, `client_error`, `server_error`, `timeout`, or `error` for all but `ok`.",
			code: "With a code.",
			decision: "`allow`, `deny`, `limit` or `ask`.",
			q: "With these words in the error, its code or the tool's name.",
			limit: "How many, 1 to 500; 50 when absent.",
			cursor: "`next` of the page before.",
		},
		reply: evidence.calls_page_schema,
		reply_status: 200,
		problems: [400, 503],
	},
	getCall: {
		method: "GET",
		path: "/api/calls/{id}",
		summary: "One call of the past.",
		roles: readers,
		reply: evidence.call_line_schema,
		reply_status: 200,
		problems: [404, 503],
	},
	getCallPayload: {
		method: "GET",
		path: "/api/calls/{id}/payload",
		summary: "What went in and out, from the audit. Whoever reads it is written down there.",
		roles: auditors,
		reply: evidence.audited_call_schema,
		reply_status: 200,
		problems: [404, 503],
	},
	getEvidence: {
		method: "GET",
		path: "/api/evidence",
		summary: "What was kept of calls since the start, and what could not be.",
		roles: readers,
		reply: evidence.evidence_status_schema,
		reply_status: 200,
		problems: [],
	},
	verifyAudit: {
		method: "GET",
		path: "/api/audit/verification",
		summary: "Checks the audit from its first entry to its last.",
		roles: auditors,
		reply: evidence.verification_schema,
		reply_status: 200,
		problems: [503],
	},
	eraseAudit: {
		method: "POST",
		path: "/api/audit/erase",
		summary: "Destroys the keys to a person's payloads. The audit still verifies.",
		roles: [],
		body: evidence.erase_schema,
		reply: evidence.erased_schema,
		reply_status: 200,
		problems: [400, 413, 415, 503],
	},
} as const satisfies Record<string, Operation>;
