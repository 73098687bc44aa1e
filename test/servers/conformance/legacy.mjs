/**
 * What the legacy scenarios of the conformance suite demand, over stdio or, with `--http`, HTTP.
 */
import { randomUUID } from "node:crypto";
import { createServer } from "node:http";
import { StdioServerTransport } from "@modelcontextprotocol/sdk/server/stdio.js";
import { StreamableHTTPServerTransport } from "@modelcontextprotocol/sdk/server/streamableHttp.js";
import { listenFree } from "../sdk/listen-free.mjs";
import { legacyServer } from "./legacy-server.mjs";
import { NamedQuestions } from "./named-questions.mjs";

const sessions = new Map();

async function transportFor(request) {
	const id = request.headers["mcp-session-id"];
	if (id !== undefined) return sessions.get(id);
	const transport = new StreamableHTTPServerTransport({
		sessionIdGenerator: randomUUID,
		onsessioninitialized: (session) => sessions.set(session, transport),
		onsessionclosed: (session) => sessions.delete(session),
	});
	await legacyServer().connect(new NamedQuestions(transport));
	return transport;
}

if (process.argv.includes("--http")) {
	listenFree(
		createServer(async (request, response) => {
			const transport = await transportFor(request);
			if (transport === undefined) response.writeHead(404).end("Session not found");
			else await transport.handleRequest(request, response);
		}),
	);
} else {
	await legacyServer().connect(new NamedQuestions(new StdioServerTransport()));
	process.stdin.on("end", () => process.exit(0));
}
