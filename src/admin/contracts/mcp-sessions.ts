import { z } from "zod";

/** Sessions of MCP clients: the part of the contract about them. Never their ids on the wire. */

const at_ms = z.int().describe("Milliseconds since the epoch.");
const text = z.string().describe("As the client calls itself; its own claim.");

/** Most sessions that one request tells of. */
export const mcp_sessions_max = 1_000;
/** Sessions told of where the request does not say how many. */
export const mcp_sessions_default = 100;

export const mcp_session_schema = z.object({
	id: z.string().describe("Stands for it here; not what its client sends."),
	endpoint: z.string().describe("Where it was opened: `mcp`, a server or a bundle."),
	principal: z.string().describe("Whose it is."),
	client: z.object({ name: text.optional(), title: text.optional(), version: text.optional() }),
	revision: z.string().describe("The protocol revision agreed on."),
	created_at_ms: at_ms,
	used_at_ms: at_ms.describe("When it was used last."),
	connected: z.boolean().describe("Whether a connection of it is open now."),
	subscriptions: z.int().nonnegative().describe("Resources it is told of when they change."),
});
export const mcp_sessions_schema = z.object({
	total: z.int().nonnegative().describe("How many there are, with those that are not listed."),
	sessions: z.array(mcp_session_schema).describe("The last used first."),
	next: z.string().optional().describe("The `cursor` of the next page; absent on the last."),
});
export const ended_session_schema = mcp_session_schema.pick({
	id: true,
	endpoint: true,
	principal: true,
});

export type McpSession = z.infer<typeof mcp_session_schema>;
export type McpSessionPage = z.infer<typeof mcp_sessions_schema>;
export type EndedMcpSession = z.infer<typeof ended_session_schema>;
