import * as sessions from "./contracts/mcp-sessions.ts";
import type { Operation } from "./operations.ts";

/** Sessions of MCP clients: who has which, and ending them. */
export const mcp_session_operations = {
	listMcpSessions: {
		method: "GET",
		path: "/api/mcp-sessions",
		summary: "Sessions of MCP clients of the legacy era, the last used first.",
		roles: ["operator", "auditor"],
		query: {
			principal: "Only those of this person, as tenant/user.",
			endpoint: "Only those at this endpoint.",
			limit: `How many at most; ${sessions.mcp_sessions_default} when absent.`,
			cursor: "`next` of the page before.",
		},
		reply: sessions.mcp_sessions_schema,
		reply_status: 200,
		problems: [400],
	},
	endMcpSession: {
		method: "DELETE",
		path: "/api/mcp-sessions/{id}",
		summary: "Ends a session: its streams are closed, and its client has to open another.",
		roles: ["operator"],
		reply: sessions.ended_session_schema,
		reply_status: 200,
		problems: [404],
	},
} as const satisfies Record<string, Operation>;
