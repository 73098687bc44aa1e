import type { Result } from "../lib/result.ts";
import type { EndedMcpSession, McpSessionPage } from "./contracts/mcp-sessions.ts";
import type { AdminProblem } from "./problem.ts";

/** Which sessions are wanted. */
export interface McpSessionQuery {
	readonly principal: string | undefined;
	readonly endpoint: string | undefined;
	readonly limit: number;
	/** `next` of the page before. */
	readonly cursor: string | undefined;
}

/** What the admin API can see and do with sessions of MCP clients. */
export interface McpSessionBackend {
	list(query: McpSessionQuery): McpSessionPage;
	/** Resolves once it is ended for good, also if the gateway is killed then. */
	end(id: string): Promise<Result<EndedMcpSession, AdminProblem>>;
}
