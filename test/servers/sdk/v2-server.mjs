import { McpServer, ResourceTemplate } from "@modelcontextprotocol/server";
import { z } from "zod";

/** A server with one of everything, for both eras. */
export function v2Server() {
	const server = new McpServer(
		{ name: "sdk-v2", version: "1.0.0" },
		{ instructions: "Built with SDK 2.x." },
	);
	server.registerTool(
		"echo",
		{ description: "Says the text again.", inputSchema: z.object({ text: z.string() }) },
		async ({ text }) => ({ content: [{ type: "text", text }] }),
	);
	server.registerTool(
		"steps",
		{ inputSchema: z.object({ steps: z.number() }) },
		async ({ steps }, context) => {
			const progressToken = context.mcpReq._meta?.progressToken;
			for (let progress = 1; progress <= steps && progressToken !== undefined; progress += 1) {
				const params = { progressToken, progress, total: steps };
				await context.mcpReq.notify({ method: "notifications/progress", params });
			}
			return { content: [{ type: "text", text: `${steps} steps` }] };
		},
	);
	server.registerResource("greeting", "greeting://world", {}, async (uri) => ({
		contents: [{ uri: uri.href, text: "hello" }],
	}));
	server.registerResource(
		"greetings",
		new ResourceTemplate("greeting://{name}", { list: undefined }),
		{},
		async (uri) => ({ contents: [{ uri: uri.href, text: `hello ${uri.host}` }] }),
	);
	server.registerPrompt("greet", { argsSchema: z.object({ name: z.string() }) }, ({ name }) => ({
		messages: [{ role: "user", content: { type: "text", text: `Greet ${name}.` } }],
	}));
	return server;
}
