import { createServer } from "node:http";
import { HttpSession } from "./http-session.mjs";

const modern_version_key = "io.modelcontextprotocol/protocolVersion";

/**
 * Serves a behaviour over Streamable HTTP on a free loopback port and prints its address as
 * one JSON line. It is as strict as the specification lets a server be: a missing header, a
 * header that disagrees with the body or an unknown session is refused.
 *
 * Options: `era` (legacy, modern, dual), `json` (replies as JSON instead of SSE), `stateless`
 * (no session id), `no_get` (405 for the GET stream), `moved` (307 from /mcp to /mcp/), `port`
 * (that one instead of a free one).
 */
export function serveHttp(behaviour, options) {
	const sessions = new Map();
	const control = {
		/** Headers of every POST with a request in it, newest last. */
		requests: [],
		/** Sessions that the client ended. */
		ended: 0,
		created: 0,
		/** GET streams opened, resumptions included. */
		streams: 0,
		forget: () => {
			for (const session of sessions.values()) session.end();
			sessions.clear();
		},
	};
	behaviour.control = control;
	const host = { behaviour, options, sessions, control };
	const server = createServer((request, response) => {
		route(host, request, response).catch((error) => {
			process.stderr.write(`fixture failed: ${error.stack}\n`);
			response.destroy();
		});
	});
	server.keepAliveTimeout = 60_000;
	server.listen(Number(options.port ?? 0), "127.0.0.1", () => {
		const url = `http://127.0.0.1:${server.address().port}/mcp`;
		process.stdout.write(`${JSON.stringify({ url })}\n`);
	});
	// The parent's end of stdin is the leash: a fixture never outlives the test that started it.
	process.stdin.on("end", () => process.exit(0));
	process.stdin.resume();
}

async function route(host, request, response) {
	const path = new URL(request.url, "http://localhost").pathname;
	if (host.options.moved && path === "/mcp") {
		request.resume();
		response.writeHead(307, { location: "/mcp/" }).end();
		return;
	}
	if (request.method === "POST") await post(host, request, response);
	else if (request.method === "GET") openStream(host, request, response);
	else if (request.method === "DELETE") endSession(host, request, response);
	else refuse(response, 405, -32000, "Method not allowed");
}

async function post(host, request, response) {
	const chunks = [];
	for await (const chunk of request) chunks.push(chunk);
	const bytes = Buffer.concat(chunks);
	const { headers } = request;
	const accept = headers.accept ?? "";
	if (!accept.includes("application/json") || !accept.includes("text/event-stream")) {
		return refuse(response, 406, -32000, "Not Acceptable");
	}
	if (!headers["content-type"]?.startsWith("application/json")) {
		return refuse(response, 415, -32000, "Unsupported Media Type");
	}
	const message = JSON.parse(bytes.toString("utf8"));
	if (message.method !== undefined && message.id !== undefined) {
		host.control.requests.push({ method: message.method, headers });
	}
	if (host.behaviour.intercept?.(message, request, response)) return undefined;
	const claimed = message.params?._meta?.[modern_version_key];
	const { era } = host.options;
	if (era === "modern" || (era === "dual" && claimed !== undefined)) {
		return postModern(host, message, bytes, headers, response);
	}
	return postLegacy(host, message, bytes, headers, response);
}

function postModern(host, message, bytes, headers, response) {
	const mismatch = headerMismatch(message, headers);
	if (mismatch !== undefined) return refuse(response, 400, -32020, mismatch, message.id);
	const session = new HttpSession(host, { era: host.options.era });
	const call = session.post(bytes, response);
	// In the modern era a closed response stream is the cancellation.
	response.on("close", () => call?.cancel("cancelled"));
	return undefined;
}

function headerMismatch(message, headers) {
	const claimed = message.params?._meta?.[modern_version_key];
	if (claimed === undefined) return undefined;
	if (headers["mcp-protocol-version"] !== claimed) return "MCP-Protocol-Version disagrees";
	if (headers["mcp-method"] !== message.method) return "Mcp-Method disagrees";
	const name = message.params.name ?? message.params.uri ?? message.params.taskId;
	const named = ["tools/call", "prompts/get", "resources/read"].includes(message.method);
	if (named && decode(headers["mcp-name"]) !== name) return "Mcp-Name disagrees";
	return undefined;
}

function decode(value) {
	const found = /^=\?base64\?(.*)\?=$/.exec(value ?? "");
	return found === null ? value : Buffer.from(found[1], "base64").toString("utf8");
}

function postLegacy(host, message, bytes, headers, response) {
	const { sessions, options, control } = host;
	let session = sessions.get(headers["mcp-session-id"]);
	if (message.method === "initialize") {
		control.created += 1;
		const id = options.stateless ? undefined : `session-${control.created}-${process.pid}`;
		session = new HttpSession(host, { era: "legacy", id });
		if (id !== undefined) sessions.set(id, session);
	} else if (options.stateless) {
		// Nothing is remembered from one request to the next.
		session = new HttpSession(host, { era: "legacy" });
	} else if (headers["mcp-session-id"] === undefined) {
		return refuse(response, 400, -32000, "Bad Request: Mcp-Session-Id header is required");
	} else if (session === undefined) {
		return refuse(response, 404, -32001, "Session not found");
	} else if (headers["mcp-protocol-version"] === undefined) {
		return refuse(response, 400, -32000, "Bad Request: MCP-Protocol-Version is required");
	}
	session.post(bytes, response, message.id !== undefined && message.method !== undefined);
	return undefined;
}

function openStream(host, request, response) {
	const session = host.sessions.get(request.headers["mcp-session-id"]);
	if (host.options.no_get || host.options.era === "modern") {
		return refuse(response, 405, -32000, "Method not allowed");
	}
	if (session === undefined) return refuse(response, 404, -32001, "Session not found");
	return session.open(request.headers["last-event-id"], response);
}

function endSession(host, request, response) {
	const id = request.headers["mcp-session-id"];
	host.sessions.get(id)?.end();
	if (host.sessions.delete(id)) host.control.ended += 1;
	response.writeHead(204).end();
}

function refuse(response, status, code, message, id = null) {
	response.writeHead(status, { "content-type": "application/json" });
	const error = { code, message };
	response.end(JSON.stringify({ jsonrpc: "2.0", id, error }));
}
