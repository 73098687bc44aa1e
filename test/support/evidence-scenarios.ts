import type { AdminScenario } from "./admin-scenarios.ts";

const nothing = { limit: 50 };
const found = (wanted: object) => `findCalls(${JSON.stringify(wanted)})`;

/** Requests about calls of the past and the audit. */
export const evidence_scenarios: readonly AdminScenario[] = [
	{ operation: "listCalls", path: "/api/calls", status: 200, calls: [found(nothing)] },
	{
		operation: "listCalls",
		path:
			"/api/calls?user=acme/ana&server=github&status=error&q=gone&limit=5&cursor=70" +
			"&since=2026-01-01T00:00:00Z&name=echo&method=tools/call&decision=deny",
		status: 200,
		calls: [
			found({
				since_ms: Date.UTC(2026, 0, 1),
				tenant: "acme",
				user: "ana",
				server: "github",
				name: "echo",
				method: "tools/call",
				status: "error",
				decision: "deny",
				text: "gone",
				before: 70,
				limit: 5,
			}),
		],
	},
	{ operation: "listCalls", path: "/api/calls?since=yesterday", status: 400, calls: [] },
	{ operation: "listCalls", path: "/api/calls?status=bad", status: 400, calls: [] },
	{ operation: "listCalls", path: "/api/calls?limit=501", status: 400, calls: [] },
	{ operation: "listCalls", path: "/api/calls?cursor=x", status: 400, calls: [] },
	{ operation: "listCalls", path: "/api/calls?trace=x", status: 400, calls: [] },
	{ operation: "getCall", path: "/api/calls/call-1", status: 200, calls: ["call(call-1)"] },
	{ operation: "getCall", path: "/api/calls/no", status: 404, calls: ["call(no)"] },
	{
		operation: "getCallPayload",
		path: "/api/calls/no/payload",
		status: 404,
		calls: ["payload(no)"],
	},
	{ operation: "getEvidence", path: "/api/evidence", status: 200, calls: ["evidence()"] },
	{
		operation: "verifyAudit",
		path: "/api/audit/verification",
		status: 200,
		calls: ["verifyAudit()"],
	},
	{
		operation: "eraseAudit",
		path: "/api/audit/erase",
		body: JSON.stringify({ tenant: "acme", user: "ana" }),
		status: 200,
		calls: ["eraseAudit(acme, ana)"],
	},
	{
		operation: "eraseAudit",
		path: "/api/audit/erase",
		body: JSON.stringify({ user: "ana" }),
		status: 400,
		calls: [],
	},
];
