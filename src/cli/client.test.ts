import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type IncomingMessage, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { type TestContext, test } from "node:test";
import { until } from "../../test/support/until.ts";
import { AdminClient } from "./client.ts";
import { CommandFailure, type FailureParts } from "./failure.ts";

/** A client for a server whose every answer the test writes. */
async function openClient(context: TestContext, serve: RequestListener) {
	const requests: { method: string; url: string; headers: IncomingMessage["headers"] }[] = [];
	const server = createServer((request, response) => {
		const { method = "", url = "", headers } = request;
		requests.push({ method, url, headers });
		serve(request, response);
	});
	server.listen(0, "127.0.0.1");
	await once(server, "listening");
	const { port } = server.address() as AddressInfo;
	const client = new AdminClient({ url: `http://127.0.0.1:${port}`, token: "secret" });
	context.after(async () => {
		await client.close();
		server.closeAllConnections();
		server.close();
	});
	return { client, requests, server };
}

function answer(status: number, body: unknown): RequestListener {
	const text = typeof body === "string" ? body : JSON.stringify(body);
	return (_request, response) => response.writeHead(status).end(text);
}

async function failureOf(work: Promise<unknown>): Promise<FailureParts> {
	try {
		await work;
	} catch (error) {
		assert.ok(error instanceof CommandFailure, String(error));
		return error.parts;
	}
	assert.fail("it did not fail");
}

const items = { server: "a/b", fetched_at_ms: 1, tools: [] };

test("names go into the path encoded, and every request has the token", async (context) => {
	const { client, requests } = await openClient(context, answer(200, items));
	await client.request("listTools", { path: { name: "a/b ?" } });
	await client.request("getLogs", { path: { name: "x" }, query: { tail: "5" } }).catch(() => 0);
	assert.deepEqual(
		requests.map(({ method, url, headers }) => [method, url, headers.authorization]),
		[
			["GET", "/api/servers/a%2Fb%20%3F/tools", "Bearer secret"],
			["GET", "/api/servers/x/logs?tail=5", "Bearer secret"],
		],
	);
});

test("a body is sent as JSON, and the reply is given as text and as value", async (context) => {
	const text = '{"content":[],"n":1.0}';
	const { client, requests } = await openClient(context, answer(200, `${text}\n`));
	const path = { name: "a", tool: "b" };
	const reply = await client.request("callTool", { path, body: "{}" });
	assert.deepEqual([reply.text, reply.value], [text, { content: [], n: 1 }]);
	assert.equal(requests[0]?.headers["content-type"], "application/json");
	assert.equal(requests[0]?.method, "POST");
});

test("a reply with more in it than this version knows is taken", async (context) => {
	const { client } = await openClient(context, answer(200, { ...items, later: 1 }));
	const { text } = await client.request("listTools", { path: { name: "a" } });
	assert.match(text, /"later":1/);
});

const refusals = [
	["server_unknown", 404, 1],
	["config_refused", 422, 3],
	["config_missing", 409, 3],
	["gateway_stopping", 503, 4],
	["unauthorized", 401, 1],
	["a_code_of_a_later_version", 400, 1],
] as const;

for (const [code, status, exit_code] of refusals) {
	test(`the problem ${code} becomes exit code ${exit_code} with its own words`, async (context) => {
		const problem = { type: "t", title: "T", status, detail: "What.", code, next: "Do." };
		const { client } = await openClient(context, answer(status, problem));
		const parts = await failureOf(client.request("getStatus"));
		assert.deepEqual(parts, { exit_code, code, message: "What.", next: "Do.", config: undefined });
	});
}

test("what is not a gateway of ours is told apart", async (context) => {
	for (const [status, body] of [
		[200, "<html>"],
		[200, "{}"],
		[502, "<html>"],
		[404, "{}"],
	] as const) {
		const { client } = await openClient(context, answer(status, body));
		const parts = await failureOf(client.request("getStatus"));
		assert.deepEqual([parts.exit_code, parts.code], [1, "gateway_strange"]);
	}
});

test("a connection that breaks is a gateway that does not answer", async (context) => {
	const cut: RequestListener = (_request, response) => {
		response.writeHead(200);
		response.write("{");
		setImmediate(() => response.destroy());
	};
	for (const serve of [cut, ((_request, response) => response.destroy()) as RequestListener]) {
		const { client } = await openClient(context, serve);
		const parts = await failureOf(client.request("getStatus"));
		assert.deepEqual([parts.exit_code, parts.code], [4, "gateway_unreachable"]);
	}
});

test("an aborted request is an interrupted command", async (context) => {
	const { client, requests } = await openClient(context, () => undefined);
	const controller = new AbortController();
	const waiting = client.request("getStatus", { signal: controller.signal });
	await until(() => requests.length === 1);
	controller.abort();
	assert.equal((await failureOf(waiting)).exit_code, 130);
});

test("a followed log gives lines and what was left out, and ends with its signal", async (context) => {
	const line = { time_ms: 1, source: "stderr", instance: 1, text: "a" };
	const { client, requests } = await openClient(context, (_request, response) => {
		response.writeHead(200, { "content-type": "text/event-stream" });
		response.write(`: hello\n\nevent: line\ndata: ${JSON.stringify(line)}\n\n`);
		response.write('event: dropped\ndata: {"lines":7}\n\n');
		response.write("event: line\ndata: {}\n\nevent: later\ndata: 1\n\n");
	});
	const controller = new AbortController();
	const seen: unknown[] = [];
	const following = client.followLog("time", {
		tail: 3,
		signal: controller.signal,
		onLine: (one) => seen.push(one),
		onDropped: (lines) => seen.push(lines),
	});
	await until(() => seen.length === 2);
	assert.deepEqual(seen, [line, 7]);
	assert.equal(requests[0]?.url, "/api/servers/time/logs?follow=1&tail=3");
	controller.abort();
	await following;
});

test("a log that may not be followed fails with the gateway's words", async (context) => {
	const problem = {
		type: "t",
		title: "T",
		status: 503,
		detail: "Full.",
		code: "overloaded",
		next: ".",
	};
	const { client } = await openClient(context, answer(503, problem));
	const options = {
		tail: 1,
		signal: new AbortController().signal,
		onLine: () => undefined,
		onDropped: () => undefined,
	};
	assert.equal((await failureOf(client.followLog("time", options))).message, "Full.");
});
