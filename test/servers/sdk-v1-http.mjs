/** A legacy server with sessions over Streamable HTTP, built with the official SDK 1.x. */
import { randomUUID } from "node:crypto";
import { createServer } from "node:http";
import { StreamableHTTPServerTransport } from "@modelcontextprotocol/sdk/server/streamableHttp.js";
import { listenFree } from "./sdk/listen-free.mjs";
import { v1Server } from "./sdk/v1-server.mjs";

const transports = new Map();

async function transportFor(request) {
	const id = request.headers["mcp-session-id"];
	if (id !== undefined) return transports.get(id);
	const transport = new StreamableHTTPServerTransport({
		sessionIdGenerator: randomUUID,
		enableJsonResponse: process.argv.includes("--json"),
		onsessioninitialized: (session) => transports.set(session, transport),
		onsessionclosed: (session) => transports.delete(session),
	});
	await v1Server().server.connect(transport);
	return transport;
}

const server = createServer(async (request, response) => {
	const transport = await transportFor(request);
	if (transport === undefined) response.writeHead(404).end("Session not found");
	else await transport.handleRequest(request, response);
});
listenFree(server);
