/**
 * The legacy server of the matrix: over stdio, with `--http` over Streamable HTTP, with `--sse`
 * over HTTP+SSE. `--port` asks for a port.
 */
import { randomUUID } from "node:crypto";
import { createServer } from "node:http";
import { SSEServerTransport } from "@modelcontextprotocol/sdk/server/sse.js";
import { StdioServerTransport } from "@modelcontextprotocol/sdk/server/stdio.js";
import { StreamableHTTPServerTransport } from "@modelcontextprotocol/sdk/server/streamableHttp.js";
import { legacyServer } from "./legacy-server.mjs";
import { listenAt } from "./listen-at.mjs";

const sessions = new Map();

async function serveHttp(request, response) {
	const id = request.headers["mcp-session-id"];
	if (id === undefined) {
		const transport = new StreamableHTTPServerTransport({
			sessionIdGenerator: randomUUID,
			onsessioninitialized: (session) => sessions.set(session, transport),
			onsessionclosed: (session) => sessions.delete(session),
		});
		await legacyServer().connect(transport);
		await transport.handleRequest(request, response);
		return;
	}
	const transport = sessions.get(id);
	if (transport === undefined) response.writeHead(404).end("Session not found");
	else await transport.handleRequest(request, response);
}

async function serveSse(request, response) {
	const { pathname, searchParams } = new URL(request.url, "http://local");
	if (request.method === "GET" && pathname === "/mcp") {
		const transport = new SSEServerTransport("/message", response);
		sessions.set(transport.sessionId, transport);
		response.on("close", () => sessions.delete(transport.sessionId));
		await legacyServer().connect(transport);
	} else if (request.method === "POST" && pathname === "/message") {
		const transport = sessions.get(searchParams.get("sessionId"));
		if (transport === undefined) response.writeHead(404).end("Session not found");
		else await transport.handlePostMessage(request, response);
	} else {
		response.writeHead(405).end();
	}
}

if (process.argv.includes("--http")) listenAt(createServer(serveHttp));
else if (process.argv.includes("--sse")) listenAt(createServer(serveSse));
else {
	await legacyServer().connect(new StdioServerTransport());
	process.stdin.on("end", () => process.exit(0));
}
