import { createServer } from "node:http";
import { Peer } from "./peer.mjs";

/**
 * Serves a behaviour over the HTTP+SSE transport of 2024-11-05 on a free loopback port and
 * prints its address as one JSON line. Options: `elsewhere` names an endpoint at another
 * origin, `mute` opens the stream and says nothing on it.
 */
export function serveSse(behaviour, options) {
	const streams = new Map();
	const control = {
		/** Streams opened so far. */
		opened: 0,
		/** Headers of the last posted message. */
		headers: undefined,
		/** Breaks every stream, as a restart does. */
		cut: () => {
			for (const { response } of streams.values()) response.destroy();
			streams.clear();
		},
		/** Forgets every stream without closing it. */
		forget: () => streams.clear(),
	};
	behaviour.control = control;
	const server = createServer((request, response) => {
		const url = new URL(request.url, "http://localhost");
		if (request.method === "GET" && url.pathname === "/sse") {
			openStream({ behaviour, options, streams, control }, response);
		} else if (request.method === "POST" && url.pathname === "/messages") {
			void post(behaviour, streams.get(url.searchParams.get("stream")), request, response);
		} else {
			request.resume();
			response.writeHead(url.pathname === "/sse" ? 405 : 404).end("Not here");
		}
	});
	server.keepAliveTimeout = 60_000;
	server.listen(0, "127.0.0.1", () => {
		const url = `http://127.0.0.1:${server.address().port}/sse`;
		process.stdout.write(`${JSON.stringify({ url })}\n`);
	});
	process.stdin.on("end", () => process.exit(0));
	process.stdin.resume();
}

function openStream({ behaviour, options, streams, control }, response) {
	response.writeHead(200, { "content-type": "text/event-stream", "cache-control": "no-cache" });
	response.flushHeaders();
	if (options.mute) return;
	control.opened += 1;
	const id = `s${control.opened}`;
	const origin = options.elsewhere ? "http://127.0.0.1:1" : "";
	response.write(`event: endpoint\ndata: ${origin}/messages?stream=${id}\n\n`);
	const send = (text) => response.write(`event: message\ndata: ${text}\n\n`);
	const { revision } = options;
	const peer = new Peer(behaviour, { era: "legacy", revision, send });
	streams.set(id, { peer, response });
	response.on("close", () => streams.delete(id));
	behaviour.started?.(peer);
}

async function post(behaviour, stream, request, response) {
	const chunks = [];
	for await (const chunk of request) chunks.push(chunk);
	if (stream === undefined) {
		response.writeHead(404).end("Session not found");
		return;
	}
	const bytes = Buffer.concat(chunks);
	behaviour.control.headers = request.headers;
	if (behaviour.intercept?.(JSON.parse(bytes.toString("utf8")), request, response)) return;
	response.writeHead(202).end("Accepted");
	stream.peer.receive(bytes);
}
