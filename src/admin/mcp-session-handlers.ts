import { mcp_sessions_default, mcp_sessions_max } from "./contracts/mcp-sessions.ts";
import type { Handler } from "./handlers.ts";
import type { McpSessionBackend } from "./mcp-session-backend.ts";
import type { mcp_session_operations } from "./mcp-session-operations.ts";
import { problemOf, problemResponse } from "./problem.ts";
import { json, outcome } from "./responses.ts";

/** A handler for every operation about sessions of MCP clients. */
export function createMcpSessionHandlers(
	sessions: McpSessionBackend,
): Record<keyof typeof mcp_session_operations, Handler> {
	return {
		listMcpSessions(context) {
			const { principal, endpoint, limit: given, cursor } = context.req.query();
			const limit = given === undefined ? mcp_sessions_default : Number(given);
			if (!Number.isInteger(limit) || limit < 1 || limit > mcp_sessions_max) {
				const message = `limit is a number from 1 to ${mcp_sessions_max}.`;
				return problemResponse(problemOf("invalid_request", message));
			}
			return json(sessions.list({ principal, endpoint, limit, cursor }));
		},
		endMcpSession: async (context) =>
			outcome(await sessions.end(context.req.param("id") as string)),
	};
}
