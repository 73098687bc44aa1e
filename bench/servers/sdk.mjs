/** The official SDK's own handler with one echo tool, or as many as the first argument says. */
import { createServer } from "node:http";
import { toNodeHandler } from "@modelcontextprotocol/node";
import { createMcpHandler, McpServer } from "@modelcontextprotocol/server";
import { z } from "zod";
import { listenFree } from "./listen-free.mjs";

const tools = Number(process.argv[2] ?? "1");
const inputSchema = z.object({ text: z.string().describe("What to say.") });
const description = "Says the text again. It changes nothing and may be called at any time.";

function echoServer() {
	const server = new McpServer({ name: "bench-echo", version: "1.0.0" });
	for (let index = 0; index < tools; index += 1) {
		const name = index === 0 ? "echo" : `echo_${index}`;
		server.registerTool(name, { description, inputSchema }, async ({ text }) => ({
			content: [{ type: "text", text }],
		}));
	}
	return server;
}

listenFree(createServer(toNodeHandler(createMcpHandler(echoServer))));
