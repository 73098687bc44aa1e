import type { AdminScenario } from "./admin-scenarios.ts";

const kill = '{"kind":"server","name":"time","reason":"It is late."}';
const taken = '{"kind":"server","name":"taken","reason":"It is late."}';

/** Requests about off switches and approvals. */
export const safety_scenarios: readonly AdminScenario[] = [
	{
		operation: "listKillSwitches",
		path: "/api/kill-switches",
		status: 200,
		calls: ["killSwitches()"],
	},
	{
		operation: "kill",
		path: "/api/kill-switches",
		body: kill,
		status: 201,
		calls: [`kill(${kill}, WHO)`],
	},
	{
		operation: "kill",
		path: "/api/kill-switches",
		body: taken,
		status: 409,
		calls: [`kill(${taken}, WHO)`],
	},
	{
		operation: "kill",
		path: "/api/kill-switches",
		body: '{"kind":"server","name":"time"}',
		status: 400,
		calls: [],
	},
	{
		operation: "unkill",
		path: "/api/kill-switches/server:time",
		status: 200,
		calls: ["unkill(server:time, WHO)"],
	},
	{
		operation: "unkill",
		path: "/api/kill-switches/user:acme%2Fana",
		status: 404,
		calls: ["unkill(user:acme/ana, WHO)"],
	},
	{
		operation: "listApprovals",
		path: "/api/approvals?state=pending",
		status: 200,
		calls: ["approvals(WHO)"],
	},
	{ operation: "listApprovals", path: "/api/approvals?state=odd", status: 400, calls: [] },
	{
		operation: "getApproval",
		path: "/api/approvals/appr_1",
		status: 200,
		calls: ["approval(appr_1, WHO)"],
	},
	{
		operation: "getApproval",
		path: "/api/approvals/appr_2",
		status: 404,
		calls: ["approval(appr_2, WHO)"],
	},
	{
		operation: "decideApproval",
		path: "/api/approvals/appr_1/decision",
		// A number that JavaScript cannot hold stays as it is.
		body: ' {"verdict":"approve","arguments":{"at":12345678901234567890}}\n',
		status: 200,
		calls: ['decide(appr_1, {"verdict":"approve"}, {"at":12345678901234567890}, WHO)'],
	},
	{
		operation: "decideApproval",
		path: "/api/approvals/appr_2/decision",
		body: '{"verdict":"deny","reason":"No."}',
		status: 404,
		calls: ['decide(appr_2, {"verdict":"deny","reason":"No."}, undefined, WHO)'],
	},
	{
		operation: "decideApproval",
		path: "/api/approvals/appr_1/decision",
		body: '{"verdict":"approve","arguments":[]}',
		status: 400,
		calls: [],
	},
];
