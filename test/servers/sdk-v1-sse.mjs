/** A server over HTTP+SSE, built with the official SDK 1.x. */
import { createServer } from "node:http";
import { SSEServerTransport } from "@modelcontextprotocol/sdk/server/sse.js";
import { v1Server } from "./sdk/v1-server.mjs";

const transports = new Map();

async function open(response) {
	const transport = new SSEServerTransport("/messages", response);
	transports.set(transport.sessionId, transport);
	await v1Server().server.connect(transport);
}

const server = createServer(async (request, response) => {
	const { pathname, searchParams } = new URL(request.url, "http://localhost");
	const transport = transports.get(searchParams.get("sessionId"));
	if (request.method === "GET" && pathname === "/sse") await open(response);
	else if (transport === undefined) response.writeHead(404).end("Not found");
	else await transport.handlePostMessage(request, response);
});
server.listen(0, "127.0.0.1", () => {
	const url = `http://127.0.0.1:${server.address().port}/sse`;
	process.stdout.write(`${JSON.stringify({ url })}\n`);
});
process.stdin.on("end", () => process.exit(0)).resume();
