import type { AdminScenario } from "./admin-scenarios.ts";

/** Requests about sessions of MCP clients, and about the keys of whoever asks. */
export const own_scenarios: readonly AdminScenario[] = [
	{
		operation: "listMcpSessions",
		path: "/api/mcp-sessions?principal=acme%2Fana&endpoint=mcp&limit=5&cursor=c",
		status: 200,
		calls: ["sessions.list(acme/ana, mcp, 5, c)"],
	},
	{
		operation: "listMcpSessions",
		path: "/api/mcp-sessions",
		status: 200,
		calls: ["sessions.list(, , 100, )"],
	},
	{ operation: "listMcpSessions", path: "/api/mcp-sessions?limit=0", status: 400, calls: [] },
	{ operation: "listMcpSessions", path: "/api/mcp-sessions?limit=1001", status: 400, calls: [] },
	{
		operation: "endMcpSession",
		path: "/api/mcp-sessions/s1",
		status: 200,
		calls: ["sessions.end(s1)"],
	},
	{
		operation: "endMcpSession",
		path: "/api/mcp-sessions/absent",
		status: 404,
		calls: ["sessions.end(absent)"],
	},
	{
		operation: "listTenants",
		path: "/api/tenants?q=ac&limit=5&cursor=a",
		status: 200,
		calls: ["tenants.list(ac, 5, a)"],
	},
	{
		operation: "listTenants",
		path: "/api/tenants",
		status: 200,
		calls: ["tenants.list(, 100, )"],
	},
	{ operation: "listTenants", path: "/api/tenants?limit=0", status: 400, calls: [] },
	{ operation: "listTenants", path: "/api/tenants?limit=501", status: 400, calls: [] },
	{
		operation: "getTenant",
		path: "/api/tenants/acme",
		status: 200,
		calls: ["tenants.get(acme)"],
	},
	{
		operation: "getTenant",
		path: "/api/tenants/acme?access=true",
		status: 200,
		calls: ["tenants.get(acme, access)"],
	},
	{ operation: "getTenant", path: "/api/tenants/no", status: 404, calls: ["tenants.get(no)"] },
	{ operation: "listMyKeys", path: "/api/me/keys", status: 200, calls: ["myKeys.list(WHO)"] },
	{
		operation: "addMyKey",
		path: "/api/me/keys",
		body: '{"name":"laptop"}',
		status: 201,
		calls: ["myKeys.add(laptop, WHO)"],
	},
	{
		operation: "addMyKey",
		path: "/api/me/keys",
		body: '{"name":"laptop","user":"somebody-else"}',
		status: 400,
		calls: [],
	},
	{
		operation: "addMyKey",
		path: "/api/me/keys",
		body: '{"name":"laptop","roles":["admin"]}',
		status: 400,
		calls: [],
	},
	{
		operation: "removeMyKey",
		path: "/api/me/keys/mine",
		status: 200,
		calls: ["myKeys.remove(mine, WHO)"],
	},
	{
		operation: "removeMyKey",
		path: "/api/me/keys/absent",
		status: 404,
		calls: ["myKeys.remove(absent, WHO)"],
	},
];
