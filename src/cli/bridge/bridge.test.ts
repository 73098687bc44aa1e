import assert from "node:assert/strict";
import type { ServerResponse } from "node:http";
import { PassThrough, Writable } from "node:stream";
import { test } from "node:test";
import {
	type Answer,
	Endpoint,
	echo,
	initialize,
	initialized,
	modern,
	openBridge,
	parse,
	type Received,
	reply,
	result,
	sessions,
	stream,
} from "../../../test/support/bridge-scene.ts";
import { until } from "../../../test/support/until.ts";

test("a modern request carries its headers and its answer keeps its bytes", async (context) => {
	const scene = await openBridge(context);
	const answer = '{ "jsonrpc":"2.0","id":1,\n "result":{"big":12345678901234567890, "f":1.0} }';
	scene.endpoint.answer = ({ response }) => reply(response, answer);
	const request = JSON.stringify(modern(1, "tools/call", { name: "wetter é", arguments: {} }));
	scene.send(request);
	await until(() => scene.lines.length === 1);
	assert.equal(scene.lines[0], answer.replace("\n", " "));
	const [received] = scene.endpoint.received;
	assert.equal(received?.body, request);
	assert.equal(received.headers["mcp-protocol-version"], "2026-07-28");
	assert.equal(received.headers["mcp-method"], "tools/call");
	const name = Buffer.from("wetter é").toString("base64");
	assert.equal(received.headers["mcp-name"], `=?base64?${name}?=`);
	assert.equal(received.headers["content-type"], "application/json");
	assert.equal(received.headers.accept, "application/json, text/event-stream");
	assert.equal(received.headers["mcp-session-id"], undefined);
});

test("requests run side by side; answers come as they are ready", async (context) => {
	const scene = await openBridge(context);
	const waiting: Received[] = [];
	scene.endpoint.answer = (received) => waiting.push(received);
	scene.send(modern(1, "tools/list"), modern("two", "tools/list"), modern(3, "tools/list"));
	await until(() => waiting.length === 3);
	for (const received of waiting.toReversed()) echo(received);
	await until(() => scene.lines.length === 3);
	assert.deepEqual(
		scene.lines.map((line) => parse(line)["id"]),
		waiting.map(({ body }) => parse(body)["id"]).toReversed(),
	);
});

test("messages of a stream come before its answer, each as a line", async (context) => {
	const scene = await openBridge(context);
	const progress = { jsonrpc: "2.0", method: "notifications/progress", params: {} };
	scene.endpoint.answer = ({ response }) => {
		stream(response, progress, result(1));
		response.end();
	};
	scene.send(modern(1, "tools/call", { name: "a" }));
	await until(() => scene.lines.length === 2);
	assert.deepEqual(scene.lines.map(parse), [progress, result(1)]);
});

test("a legacy session is kept for the client, and ended with it", async (context) => {
	const scene = await openBridge(context);
	sessions(scene);
	// All at once: nothing may overtake the handshake.
	scene.send(initialize, initialized, { jsonrpc: "2.0", id: 1, method: "tools/list" });
	scene.stdin.end();
	await scene.done;
	assert.deepEqual(
		scene.endpoint.posted.map((message) => (message as { method: string }).method),
		["initialize", "notifications/initialized", "tools/list"],
	);
	const [first, ...others] = scene.endpoint.received;
	assert.equal(first?.headers["mcp-session-id"], undefined);
	assert.equal(first?.headers["mcp-protocol-version"], undefined);
	for (const { headers } of others) {
		assert.equal(headers["mcp-session-id"], "s1");
		assert.equal(headers["mcp-protocol-version"], "2025-11-25");
	}
	assert.equal(scene.endpoint.received.at(-1)?.method, "DELETE");
	assert.deepEqual(
		scene.lines.map((line) => parse(line)["id"]),
		[0, 1],
	);
});

test("pushes of the session's own stream become lines; it is opened again", async (context) => {
	const scene = await openBridge(context);
	sessions(scene);
	const { answer } = scene.endpoint;
	const gets: Received[] = [];
	scene.endpoint.answer = (received) => {
		if (received.method === "GET") gets.push(received);
		else answer(received);
	};
	scene.send(initialize, initialized);
	await until(() => gets.length === 1);
	assert.equal(gets[0]?.headers.accept, "text/event-stream");
	const changed = { jsonrpc: "2.0", method: "notifications/tools/list_changed" };
	gets[0]?.response.writeHead(200, { "content-type": "text/event-stream" });
	gets[0]?.response.write(`retry: 1\nid: e7\ndata: ${JSON.stringify(changed)}\n\n`);
	await until(() => scene.lines.length === 2);
	assert.deepEqual(parse(scene.lines[1] as string), changed);
	gets[0]?.response.end();
	await until(() => gets.length === 2);
	assert.equal(gets[1]?.headers["last-event-id"], "e7");
});

test("an answer of the client to the server's request is posted in the session", async (context) => {
	const scene = await openBridge(context);
	const ask = { jsonrpc: "2.0", id: "ask-1", method: "roots/list" };
	let call: ServerResponse | undefined;
	sessions(scene, ({ response }) => {
		call = response;
		stream(response, ask);
	});
	scene.send(initialize, initialized, { jsonrpc: "2.0", id: 1, method: "tools/call", params: {} });
	await until(() => scene.lines.length === 2);
	assert.deepEqual(parse(scene.lines[1] as string), ask);
	const answer = result("ask-1", { roots: [] });
	scene.send(answer);
	await until(() => scene.endpoint.posted.length === 4);
	assert.deepEqual(scene.endpoint.posted[3], answer);
	assert.equal(scene.endpoint.received.at(-1)?.headers["mcp-session-id"], "s1");
	stream(call as ServerResponse, result(1));
	call?.end();
	await until(() => scene.lines.length === 3);
});

test("a session the gateway has forgotten is opened anew, unnoticed", async (context) => {
	const scene = await openBridge(context);
	const state = sessions(scene);
	scene.send(initialize, initialized);
	await until(() => scene.endpoint.posted.length === 2);
	state.valid = "gone";
	scene.send(
		{ jsonrpc: "2.0", id: 1, method: "tools/call", params: { name: "a" } },
		{ jsonrpc: "2.0", id: 2, method: "tools/call", params: { name: "b" } },
	);
	await until(() => scene.lines.length === 3);
	assert.deepEqual(new Set(scene.lines.map((line) => parse(line)["id"])), new Set([0, 1, 2]));
	const opened = scene.endpoint.posted.filter(
		(message) => (message as { method: string }).method === "initialize",
	);
	assert.equal(opened.length, 2);
	assert.deepEqual({ ...(opened[1] as object), id: 0 }, initialize);
	assert.equal(scene.notes.length, 1);
});

test("a handshake that fails is answered with the gateway's error", async (context) => {
	const scene = await openBridge(context);
	const error = { code: -32602, message: "no", data: { a: 1.5 } };
	scene.endpoint.answer = ({ response }) => {
		response.writeHead(400, { "content-type": "application/json" });
		response.end(JSON.stringify({ jsonrpc: "2.0", id: null, error }));
	};
	scene.send(initialize);
	await until(() => scene.lines.length === 1);
	assert.deepEqual(parse(scene.lines[0] as string), { jsonrpc: "2.0", id: 0, error });
});

test("a modern request is cancelled by closing its stream, and not answered", async (context) => {
	const scene = await openBridge(context);
	scene.endpoint.answer = ({ response }) => stream(response, { jsonrpc: "2.0", method: "x/y" });
	scene.send(modern(1, "tools/call", { name: "a" }));
	await until(() => scene.lines.length === 1);
	scene.send({ jsonrpc: "2.0", method: "notifications/cancelled", params: { requestId: 1 } });
	await until(() => scene.endpoint.received[0]?.closed === true);
	scene.send(modern(2, "ping/pong"));
	scene.endpoint.answer = echo;
	await until(() => scene.endpoint.received.length === 2);
	scene.endpoint.received[1]?.response.end();
	scene.stdin.end();
	await scene.done;
	assert.deepEqual(
		scene.lines.map((line) => parse(line)["id"]),
		[undefined, 2],
	);
});

test("a legacy request is cancelled by telling the gateway", async (context) => {
	const scene = await openBridge(context);
	sessions(scene, () => undefined);
	scene.send(initialize, initialized, { jsonrpc: "2.0", id: 1, method: "tools/call", params: {} });
	await until(() => scene.endpoint.posted.length === 3);
	const cancelled = {
		jsonrpc: "2.0",
		method: "notifications/cancelled",
		params: { requestId: 1 },
	};
	scene.send(cancelled);
	await until(() => scene.endpoint.posted.length === 4);
	assert.deepEqual(scene.endpoint.posted[3], cancelled);
	const call = scene.endpoint.received.find(({ body }) => body.includes("tools/call"));
	assert.equal(call?.closed, false);
});

test("a gateway that is away for a while is waited for, wherever it comes back", async (context) => {
	const scene = await openBridge(context);
	scene.endpoint.stop();
	scene.url = undefined;
	scene.send(modern(1, "tools/call", { name: "a" }));
	const other = new Endpoint();
	other.answer = echo;
	const url = await other.start(context);
	scene.url = "http://127.0.0.1:9/mcp";
	await new Promise((resolve) => setImmediate(resolve));
	scene.url = url;
	await until(() => scene.lines.length === 1);
	assert.equal(other.received.length, 1);
	assert.equal(parse(scene.lines[0] as string)["id"], 1);
});

const plain_refusal = '{"error":"gateway_stopping","message":"Shutting down."}';
const refusal =
	'{"jsonrpc":"2.0","id":null,"error":{"code":1203,"message":"Shutting down.",' +
	'"data":{"code":"gateway_stopping"}}}';

test("a request that a stopping gateway turns away is sent again", async (context) => {
	const scene = await openBridge(context);
	let turned_away = 0;
	scene.endpoint.answer = (received) => {
		if (turned_away === 2) return echo(received);
		turned_away += 1;
		received.response.writeHead(503, { "content-type": "application/json" });
		return received.response.end(turned_away === 1 ? plain_refusal : refusal);
	};
	scene.send(modern(1, "tools/call", { name: "a" }));
	await until(() => scene.lines.length === 1);
	assert.equal(scene.endpoint.received.length, 3);
	assert.ok("result" in parse(scene.lines[0] as string));
});

test("a 503 that is the answer itself is passed on", async (context) => {
	const scene = await openBridge(context);
	const error = { code: 1202, message: "Too many sessions." };
	scene.endpoint.answer = ({ response }) => {
		response.writeHead(503, { "content-type": "application/json" });
		response.end(JSON.stringify({ jsonrpc: "2.0", id: 0, error }));
	};
	scene.send(initialize);
	await until(() => scene.lines.length === 1);
	assert.deepEqual(parse(scene.lines[0] as string)["error"], error);
	assert.equal(scene.endpoint.received.length, 1);
});

for (const how of ["before its answer", "in the middle of its stream"]) {
	const cut: Answer = ({ response }) => {
		if (how !== "before its answer") {
			stream(response, { jsonrpc: "2.0", method: "x/y" });
			response.write("data: {");
		}
		setImmediate(() => response.destroy());
	};

	test(`a tool call whose gateway dies ${how} is never made twice`, async (context) => {
		const scene = await openBridge(context);
		scene.endpoint.answer = cut;
		scene.send(modern(1, "tools/call", { name: "a" }));
		await until(() => scene.lines.some((line) => line.includes('"id":1')));
		const { error } = parse(scene.lines.at(-1) as string) as {
			error: { code: number; message: string; data: Record<string, { retry_safe: boolean }> };
		};
		assert.match(error.message, /went away/);
		assert.ok(error.code < -32768 || error.code > -32000);
		assert.equal(error.data["dev.moorage/error"]?.retry_safe, false);
		assert.equal(scene.endpoint.received.length, 1);
	});

	test(`a list whose gateway dies ${how} is asked for again`, async (context) => {
		const scene = await openBridge(context);
		scene.endpoint.answer = (received) => {
			scene.endpoint.answer = echo;
			cut(received);
		};
		scene.send(modern(1, "tools/list"));
		await until(() => scene.lines.some((line) => line.includes('"result"')));
		assert.equal(scene.endpoint.received.length, 2);
		assert.equal(scene.lines.filter((line) => line.includes('"id":1')).length, 1);
	});
}

const refusals: readonly (readonly [string, number, string, string, RegExp])[] = [
	[
		"an unknown endpoint",
		404,
		"application/json",
		'{"error":"x","message":"No such."}',
		/No such\./,
	],
	["a page of a proxy", 502, "text/html", "<html>", /HTTP status 502\./],
	["an empty success", 202, "text/plain", "", /HTTP status 202/],
	[
		"an answer to somebody else",
		200,
		"application/json",
		'{"jsonrpc":"2.0","id":9,"result":{}}',
		/200/,
	],
];

for (const [what, status, type, body, message] of refusals) {
	test(`${what} becomes an error with the request's id`, async (context) => {
		const scene = await openBridge(context);
		scene.endpoint.answer = ({ response }) => {
			response.writeHead(status, { "content-type": type }).end(body);
		};
		scene.send(modern('a"b', "tools/call", { name: "a" }));
		await until(() => scene.lines.length === 1);
		const line = parse(scene.lines[0] as string);
		assert.equal(line["id"], 'a"b');
		assert.match((line["error"] as { message: string }).message, message);
	});
}

test("what is not a message is answered here and disturbs nothing", async (context) => {
	const scene = await openBridge(context);
	scene.endpoint.answer = echo;
	scene.send("{", "5", '{"jsonrpc":"2.0","id":7,"method":5}', "", modern(1, "tools/list"));
	await until(() => scene.lines.length === 4);
	const codes = scene.lines.map((line) => {
		const { id, error } = parse(line) as { id: unknown; error?: { code: number } };
		return [id, error?.code];
	});
	assert.deepEqual(codes, [
		[null, -32700],
		[null, -32600],
		[7, -32600],
		[1, undefined],
	]);
	assert.equal(scene.endpoint.received.length, 1);
});

test("an id that is still under way is refused", async (context) => {
	const scene = await openBridge(context);
	scene.endpoint.answer = () => undefined;
	scene.send(modern(1, "tools/list"), modern(1, "tools/list"));
	await until(() => scene.lines.length === 1);
	assert.match(scene.lines[0] as string, /"id":1,"error":\{"code":-32600,"message":".*under way/);
	scene.endpoint.answer = echo;
	scene.send(modern(2, "tools/list"));
	await until(() => scene.lines.length === 2);
	assert.equal(scene.endpoint.received.length, 2);
});

test("a batch goes over as it is, and so does its answer", async (context) => {
	const scene = await openBridge(context);
	const answer = JSON.stringify([result(1), result(2)]);
	sessions(scene);
	const { answer: inner } = scene.endpoint;
	scene.endpoint.answer = (received) => {
		if (received.body.startsWith("[")) reply(received.response, answer);
		else inner(received);
	};
	const batch = JSON.stringify([
		{ jsonrpc: "2.0", id: 1, method: "ping" },
		{ jsonrpc: "2.0", method: "notifications/x" },
		{ jsonrpc: "2.0", id: 2, method: "ping" },
	]);
	scene.send(initialize, initialized, batch);
	await until(() => scene.lines.length === 2);
	assert.equal(scene.lines[1], answer);
	assert.equal(scene.endpoint.received.findLast(({ method }) => method === "POST")?.body, batch);
});

test("a batch that is refused is answered request by request", async (context) => {
	const scene = await openBridge(context);
	scene.endpoint.answer = ({ response }) => response.writeHead(400).end("no");
	const request = (id: number) => ({ jsonrpc: "2.0", id, method: "ping" });
	scene.send(JSON.stringify([request(1), { jsonrpc: "2.0", method: "x/y" }, request(2)]));
	await until(() => scene.lines.length === 2);
	assert.deepEqual(
		scene.lines.map((line) => parse(line)["id"]),
		[1, 2],
	);
});

test("arguments marked in a tool list are mirrored in headers of later calls", async (context) => {
	const scene = await openBridge(context);
	const tool = {
		name: "search",
		inputSchema: {
			properties: {
				region: { type: "string", "x-mcp-header": "Region" },
				deep: { properties: { n: { type: "integer", "x-mcp-header": "Deep-N" } } },
				other: { type: "string" },
			},
		},
	};
	scene.endpoint.answer = ({ response }) =>
		reply(response, JSON.stringify(result(1, { tools: [tool] })));
	scene.send(modern(1, "tools/list"));
	await until(() => scene.lines.length === 1);
	scene.endpoint.answer = echo;
	const args = { region: "zürich", deep: { n: 7 }, other: "x" };
	scene.send(modern(2, "tools/call", { name: "search", arguments: args }));
	scene.send(modern(3, "tools/call", { name: "other", arguments: args }));
	await until(() => scene.lines.length === 3);
	const headers = new Map(
		scene.endpoint.received.map(({ body, headers }) => [parse(body)["id"], headers]),
	);
	const region = Buffer.from("zürich").toString("base64");
	assert.equal(headers.get(2)?.["mcp-param-region"], `=?base64?${region}?=`);
	assert.equal(headers.get(2)?.["mcp-param-deep-n"], "7");
	assert.equal(headers.get(3)?.["mcp-param-region"], undefined);
});

test("the end of input waits for what is under way, but not for subscriptions", async (context) => {
	const scene = await openBridge(context);
	const waiting: Received[] = [];
	scene.endpoint.answer = (received) => waiting.push(received);
	scene.send(modern(1, "subscriptions/listen"), modern(2, "tools/call", { name: "a" }));
	await until(() => waiting.length === 2);
	const listen = waiting.find(({ body }) => body.includes("listen")) as Received;
	stream(listen.response, { jsonrpc: "2.0", method: "notifications/x" });
	scene.stdin.end();
	await until(() => listen.closed);
	echo(waiting.find(({ body }) => body.includes("call")) as Received);
	await scene.done;
	assert.equal(parse(scene.lines.at(-1) as string)["id"], 2);
});

test("a reader that goes away ends the bridge and cuts its calls", async (context) => {
	const stdout = new PassThrough();
	const scene = await openBridge(context, { stdout });
	scene.endpoint.answer = () => undefined;
	scene.send(modern(1, "tools/call", { name: "a" }));
	await until(() => scene.endpoint.received.length === 1);
	stdout.destroy();
	await scene.done;
	await until(() => scene.endpoint.received[0]?.closed === true);
});

test("a slow reader holds the gateway back instead of filling memory", async (context) => {
	const taken: (() => void)[] = [];
	const stdout = new Writable({
		highWaterMark: 1024,
		write: (_chunk, _encoding, done) => taken.push(done),
	});
	const scene = await openBridge(context, { stdout });
	const note = JSON.stringify({ jsonrpc: "2.0", method: "x/y", params: { t: "x".repeat(64_000) } });
	let sent = 0;
	scene.endpoint.answer = ({ response }) => {
		response.writeHead(200, { "content-type": "text/event-stream" });
		const more = () => {
			while (sent < 2000) {
				sent += 1;
				if (!response.write(`data: ${note}\n\n`)) {
					response.once("drain", more);
					return;
				}
			}
			response.end(`data: ${JSON.stringify(result(1))}\n\n`);
		};
		more();
	};
	scene.send(modern(1, "tools/call", { name: "a" }));
	let before = -1;
	// The endpoint has stopped being able to send when nothing more goes out for many turns.
	for (let quiet = 0; quiet < 200; quiet += 1) {
		await new Promise((resolve) => setImmediate(resolve));
		if (sent !== before) [quiet, before] = [0, sent];
	}
	assert.ok(sent < 1000, `${sent} messages were taken from the gateway`);
	let lines = 0;
	while (lines < 2001) {
		await until(() => taken.length > 0);
		lines += 1;
		taken.shift()?.();
	}
	assert.equal(sent, 2000);
});
