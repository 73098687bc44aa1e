import assert from "node:assert/strict";
import type { IncomingMessage, ServerResponse } from "node:http";
import { type TestContext, test } from "node:test";
import {
	type Deviations,
	startAuthorizationServer,
} from "../../../../test/support/authorization-server.ts";
import { by_itself } from "../../../../test/support/oauth-spec.ts";
import {
	callTool,
	faultOf,
	Recorder,
	recordingContext,
	taken,
	textOf,
} from "../../../../test/support/upstream-harness.ts";
import { systemClock } from "../../../lib/clock.ts";
import { httpDriverWith } from "../driver.ts";
import { UpstreamAuths } from "./upstream-auths.ts";

/** The token goes with every request of every transport, and is renewed wherever it is refused. */

const hello = {
	protocolVersion: "2025-11-25",
	capabilities: { tools: {} },
	serverInfo: { name: "guarded", version: "1" },
};

function resultOf(method: string): object {
	return method === "initialize" ? hello : { content: [{ type: "text", text: "done" }] };
}

const sse_head = { "content-type": "text/event-stream" };

/** An HTTP+SSE server: one stream, and messages posted beside it. */
function oldTransport() {
	const server = { stream: undefined as ServerResponse | undefined, notified: [] as string[] };
	const serve = (request: IncomingMessage, response: ServerResponse, body: string) => {
		if (request.method === "GET") {
			response.writeHead(200, sse_head);
			response.write("event: endpoint\ndata: /mcp/messages\n\n");
			server.stream = response;
			return;
		}
		if (request.url === "/mcp") {
			response.writeHead(405).end();
			return;
		}
		const { id, method } = JSON.parse(body) as { id?: number; method: string };
		response.writeHead(202).end();
		if (id === undefined) server.notified.push(method);
		else {
			const reply = JSON.stringify({ jsonrpc: "2.0", id, result: resultOf(method) });
			server.stream?.write(`data: ${reply}\n\n`);
		}
	};
	return { server, serve };
}

/** A legacy Streamable HTTP server with a GET stream. */
function newTransport() {
	const server = { stream: undefined as ServerResponse | undefined, opened: 0 };
	const serve = (request: IncomingMessage, response: ServerResponse, body: string) => {
		if (request.method === "GET") {
			response.writeHead(200, sse_head);
			response.write("retry: 10\n\n");
			server.stream = response;
			server.opened += 1;
			return;
		}
		if (request.method === "DELETE") {
			response.writeHead(204).end();
			return;
		}
		const { id, method } = JSON.parse(body) as { id?: number; method: string };
		if (id === undefined) {
			response.writeHead(202).end();
			return;
		}
		const error = { code: -32601, message: "no" };
		const known = method !== "server/discover";
		const outcome = known ? { result: resultOf(method) } : { error };
		response.writeHead(200, { "content-type": "application/json", "mcp-session-id": "s" });
		response.end(JSON.stringify({ jsonrpc: "2.0", id, ...outcome }));
	};
	return { server, serve };
}

async function open(t: TestContext, deviations: Deviations, transport?: "sse") {
	const authorization = await startAuthorizationServer(deviations);
	t.after(() => authorization.close());
	const auths = new UpstreamAuths({
		clock: systemClock,
		authorize: (_server, page) => authorization.authorize(page),
		redirectUri: () => "http://127.0.0.1:1/oauth/callback",
	});
	const recorder = new Recorder();
	const spec = {
		driver: "http" as const,
		url: `${authorization.issuer}/mcp`,
		headers: { authorization: "Bearer configured" },
		auth: by_itself,
		...(transport === undefined ? {} : { transport }),
	};
	const opened = await httpDriverWith(auths).open(spec, recordingContext(recorder));
	return { authorization, opened, recorder };
}

test("HTTP+SSE: the stream and the posts carry the token, and the stream is opened with it", async (t) => {
	const { server, serve } = oldTransport();
	const { authorization, opened } = await open(t, { mcp: serve }, "sse");
	const upstream = taken(opened);
	t.after(() => upstream.close());
	assert.equal(textOf(await callTool(upstream, "x")), "done");
	assert.deepEqual(server.notified, ["notifications/initialized"]);
	const tokens = authorization.requests("/mcp/messages").map((one) => one.authorization);
	assert.deepEqual(new Set(tokens), new Set(["access-1"]));
	// The configured header has no part in it.
	assert.equal(authorization.requests("/mcp")[0]?.authorization, "");
});

test("HTTP+SSE: calls that are refused get another token, many of them one", async (t) => {
	const { serve } = oldTransport();
	const { authorization, opened } = await open(t, { mcp: serve }, "sse");
	const upstream = taken(opened);
	t.after(() => upstream.close());
	authorization.access_tokens.clear();
	const calls = Array.from({ length: 10 }, () => callTool(upstream, "x"));
	for (const outcome of await Promise.all(calls)) assert.equal(textOf(outcome), "done");
	assert.equal(authorization.requests("/token").length, 2);
});

test("HTTP+SSE: a stream that breaks is opened again with another token", async (t) => {
	const { server, serve } = oldTransport();
	const { authorization, opened, recorder } = await open(t, { mcp: serve }, "sse");
	const upstream = taken(opened);
	t.after(() => upstream.close());
	authorization.access_tokens.clear();
	server.stream?.end();
	let outcome = await callTool(upstream, "x");
	// A call that was on its way with the old stream ends with it.
	while (!outcome.ok) outcome = await callTool(upstream, "x");
	assert.equal(textOf(outcome), "done");
	assert.deepEqual(recorder.gone, []);
	assert.ok(authorization.access_tokens.has("access-2"));
});

test("HTTP+SSE: authorization that does not come about is told by its own code", async (t) => {
	const denied = { mcp: oldTransport().serve, callback: { error: "access_denied" } };
	const { opened } = await open(t, denied, "sse");
	const fault = faultOf(opened);
	assert.equal(fault.code, "authorization_failed");
	assert.match(fault.message, /wants authorization\. .*did not give the authorization/);
});

test("the GET stream is opened again with another token", async (t) => {
	const { server, serve } = newTransport();
	const { authorization, opened } = await open(t, { mcp: serve });
	const upstream = taken(opened);
	t.after(() => upstream.close());
	assert.equal(server.opened, 1);
	authorization.access_tokens.clear();
	const before = server.stream;
	before?.end();
	while (server.stream === before) await new Promise((resolve) => setImmediate(resolve));
	assert.equal(authorization.requests("/token").length, 2);
	assert.equal(textOf(await callTool(upstream, "x")), "done");
	assert.equal(authorization.requests("/token").length, 2);
});

test("a call that a person has to allow first is told so by its own code", async (t) => {
	const denied = { mcp: newTransport().serve, callback: { error: "access_denied" } };
	const fault = faultOf((await open(t, denied)).opened);
	assert.equal(fault.code, "authorization_failed");
	assert.equal(fault.retry_safe, true);
});
