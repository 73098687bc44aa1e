import type { OperationId } from "../../src/admin/operations.ts";

/** One request to the admin API, and all that it may cause. */
export interface AdminScenario {
	readonly operation: OperationId;
	readonly path: string;
	readonly body?: string;
	readonly headers?: Readonly<Record<string, string>>;
	readonly status: number;
	/** Everything the backend may be asked by whoever may ask. */
	readonly calls: readonly string[];
}

const text = JSON.stringify({ text: "version: 1\n" });
const tool_call = { server: "time", method: "tools/call", params: { name: "now" } };

/** Requests of the dashboard: sessions, live news, the configuration, trying out. */
export const dashboard_scenarios: readonly AdminScenario[] = [
	{ operation: "getSignInWays", path: "/api/session/ways", status: 200, calls: [] },
	{
		operation: "createSession",
		path: "/api/session",
		body: '{"name":"acme/ana","password":"right"}',
		status: 201,
		calls: [],
	},
	{
		operation: "createSession",
		path: "/api/session",
		body: '{"name":"acme/ana","password":"wrong"}',
		status: 401,
		calls: [],
	},
	{
		operation: "createSession",
		path: "/api/session",
		body: '{"name":"guesser","password":"right"}',
		status: 429,
		calls: [],
	},
	{
		operation: "createSession",
		path: "/api/session",
		body: '{"credential":"key-member"}',
		status: 201,
		calls: [],
	},
	{
		operation: "createSession",
		path: "/api/session",
		body: '{"link":"x"}',
		status: 401,
		calls: [],
	},
	{ operation: "createSession", path: "/api/session", body: '{"who":"x"}', status: 400, calls: [] },
	{ operation: "getSession", path: "/api/session", status: 200, calls: [] },
	{ operation: "endSession", path: "/api/session", status: 200, calls: [] },
	{ operation: "createLink", path: "/api/session/links", status: 201, calls: [] },
	{ operation: "getMine", path: "/api/me/servers", status: 200, calls: ["mine(WHO)"] },
	{ operation: "listSessions", path: "/api/sessions", status: 200, calls: [] },
	{ operation: "endOtherSession", path: "/api/sessions/no", status: 404, calls: [] },
	{ operation: "getEvents", path: "/api/events?kinds=state", status: 200, calls: [] },
	{ operation: "getFleet", path: "/api/fleet", status: 200, calls: ["fleet()"] },
	{ operation: "wakeServer", path: "/api/servers/time/wake", status: 200, calls: ["wake(time)"] },
	{ operation: "wakeServer", path: "/api/servers/no/wake", status: 404, calls: ["wake(no)"] },
	{
		operation: "freezeServer",
		path: "/api/servers/time/freeze",
		status: 200,
		calls: ["freeze(time)"],
	},
	{ operation: "freezeServer", path: "/api/servers/no/freeze", status: 404, calls: ["freeze(no)"] },
	{ operation: "getConfig", path: "/api/config", status: 200, calls: ["readConfig()"] },
	{
		operation: "previewConfig",
		path: "/api/config/preview",
		body: text,
		status: 200,
		calls: ["previewConfig(version: 1\n)"],
	},
	{ operation: "replaceConfig", path: "/api/config", body: text, status: 400, calls: [] },
	{
		operation: "replaceConfig",
		path: "/api/config",
		body: text,
		headers: { "if-match": '"1"' },
		status: 200,
		calls: ['replaceConfig(version: 1\n, "1")'],
	},
	{
		operation: "replaceConfig",
		path: "/api/config",
		body: text,
		headers: { "if-match": '"0"' },
		status: 412,
		calls: ['replaceConfig(version: 1\n, "0")'],
	},
	{
		operation: "proposeServers",
		path: "/api/servers/propose",
		body: '{"text":"npx -y x"}',
		status: 200,
		calls: ["propose(npx -y x)"],
	},
	{
		operation: "listClients",
		path: "/api/connect?endpoint=mcp",
		status: 200,
		calls: ["clientLines(mcp)"],
	},
	{
		operation: "listClients",
		path: "/api/connect?endpoint=no",
		status: 404,
		calls: ["clientLines(no)"],
	},
	{
		operation: "play",
		path: "/api/playground",
		body: JSON.stringify({ ...tool_call, server: "no" }),
		status: 404,
		calls: ["play(no, tools/call, WHO)"],
	},
	{
		operation: "play",
		path: "/api/playground",
		body: JSON.stringify(tool_call),
		status: 200,
		calls: ["play(time, tools/call, WHO)"],
	},
	{
		operation: "play",
		path: "/api/playground",
		body: JSON.stringify({ ...tool_call, method: "tools/list" }),
		status: 400,
		calls: [],
	},
	{
		operation: "answerPlay",
		path: "/api/playground/p1/answers/q1",
		body: '{"action":"accept","result":{}}',
		status: 200,
		calls: ["answer(p1, q1, accept)"],
	},
	{
		operation: "answerPlay",
		path: "/api/playground/p2/answers/q1",
		body: '{"action":"decline"}',
		status: 404,
		calls: ["answer(p2, q1, decline)"],
	},
	{
		operation: "frameApp",
		path: "/api/playground/frames",
		body: '{"server":"time","uri":"ui://clock"}',
		status: 201,
		calls: ["frame(time, ui://clock)"],
	},
];
