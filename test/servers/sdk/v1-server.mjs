import { McpServer, ResourceTemplate } from "@modelcontextprotocol/sdk/server/mcp.js";
import { z } from "zod";

/** A server with one of everything that the legacy revisions offer. */
export function v1Server() {
	const server = new McpServer(
		{ name: "sdk-v1", version: "1.0.0" },
		{ capabilities: { logging: {} }, instructions: "Built with SDK 1.x." },
	);
	server.registerTool(
		"echo",
		{ description: "Says the text again.", inputSchema: { text: z.string() } },
		async ({ text }) => ({ content: [{ type: "text", text }] }),
	);
	server.registerTool("steps", { inputSchema: { steps: z.number() } }, async ({ steps }, extra) => {
		const progressToken = extra._meta?.progressToken;
		for (let progress = 1; progress <= steps && progressToken !== undefined; progress += 1) {
			const params = { progressToken, progress, total: steps };
			await extra.sendNotification({ method: "notifications/progress", params });
		}
		return { content: [{ type: "text", text: `${steps} steps` }] };
	});
	server.registerTool("elicit", {}, async () => {
		const requestedSchema = { type: "object", properties: { name: { type: "string" } } };
		const answer = await server.server.elicitInput({ message: "Your name?", requestedSchema });
		return { content: [{ type: "text", text: JSON.stringify(answer) }] };
	});
	server.registerTool("fail", {}, async () => {
		throw new Error("told to fail");
	});
	server.registerResource("greeting", "greeting://world", {}, async (uri) => ({
		contents: [{ uri: uri.href, text: "hello" }],
	}));
	server.registerResource(
		"greetings",
		new ResourceTemplate("greeting://{name}", {
			list: undefined,
			complete: { name: (start) => ["alice", "bob"].filter((name) => name.startsWith(start)) },
		}),
		{},
		async (uri) => ({ contents: [{ uri: uri.href, text: `hello ${uri.host}` }] }),
	);
	server.registerPrompt("greet", { argsSchema: { name: z.string() } }, ({ name }) => ({
		messages: [{ role: "user", content: { type: "text", text: `Greet ${name}.` } }],
	}));
	return { server };
}
