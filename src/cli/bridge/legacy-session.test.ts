import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import {
	Endpoint,
	initialize,
	initialized,
	parse,
	type Received,
	reply,
	result,
	stream,
} from "../../../test/support/bridge-scene.ts";
import { FakeClock } from "../../../test/support/fake-clock.ts";
import { until } from "../../../test/support/until.ts";
import { systemClock } from "../../lib/clock.ts";
import { indexMessage } from "../../wire/index-message.ts";
import type { Message } from "../../wire/message.ts";
import { LegacySession } from "./legacy-session.ts";
import { Link, type LinkResponse } from "./link.ts";

function messageOf(value: object): Message {
	const indexed = indexMessage(Buffer.from(JSON.stringify(value)));
	assert.ok(indexed.ok);
	return indexed.value;
}

const hello = messageOf(result(0, { protocolVersion: "2025-06-18" }));

function responseWith(id: string | string[] | undefined): LinkResponse {
	const headers = id === undefined ? {} : { "mcp-session-id": id };
	return { status: 200, headers, body: (async function* () {})() };
}

async function open(context: TestContext, clock = systemClock) {
	const endpoint = new Endpoint();
	const url = await endpoint.start(context);
	const over = new AbortController();
	const closing = new AbortController();
	const pushed: string[] = [];
	const notes: string[] = [];
	const link = new Link({ clock: systemClock, locate: async () => url });
	const session = new LegacySession({
		clock,
		link,
		signal: over.signal,
		closing: closing.signal,
		onPush: async (message) => void pushed.push(message.toString()),
		note: (text) => notes.push(text),
	});
	context.after(async () => {
		over.abort();
		await link.close();
	});
	session.begin(messageOf(initialize));
	return { endpoint, session, closing, pushed, notes };
}

/** Answers handshakes with sessions `n1`, `n2`, ...; opens and keeps push streams. */
function serveSessions(endpoint: Endpoint): { readonly gets: Received[]; opened: number } {
	const state = { gets: [] as Received[], opened: 0 };
	endpoint.answer = (received) => {
		const { method, body, response } = received;
		if (method === "GET") {
			state.gets.push(received);
			response.writeHead(200, { "content-type": "text/event-stream" });
			response.flushHeaders();
		} else if (body.includes('"initialize"')) {
			state.opened += 1;
			const { id } = parse(body);
			const answer = result(id, { protocolVersion: "2025-11-25" });
			reply(response, JSON.stringify(answer), { "mcp-session-id": `n${state.opened}` });
		} else response.writeHead(202).end();
	};
	return state;
}

test("before the handshake's answer there are no headers, after it those of the session", async (context) => {
	const { session } = await open(context);
	assert.deepEqual(session.headers(), {});
	session.opened(responseWith("s1"), hello);
	assert.equal(session.id, "s1");
	assert.deepEqual(session.headers(), {
		"mcp-session-id": "s1",
		"mcp-protocol-version": "2025-06-18",
	});
	session.begin(messageOf(initialize));
	assert.deepEqual(session.headers(), {});
});

test("a gateway without sessions still has a revision", async (context) => {
	const { session, endpoint } = await open(context);
	const { gets } = serveSessions(endpoint);
	session.opened(responseWith(undefined), hello);
	assert.deepEqual(session.headers(), { "mcp-protocol-version": "2025-06-18" });
	session.ready(messageOf(initialized));
	await session.end(new AbortController().signal);
	assert.deepEqual([gets.length, endpoint.received.length], [0, 0]);
});

test("a handshake that was refused opens nothing", async (context) => {
	const { session } = await open(context);
	const error = messageOf({ jsonrpc: "2.0", id: 0, error: { code: 1, message: "no" } });
	session.opened(responseWith("s1"), error);
	assert.equal(session.id, undefined);
});

test("many that find the session lost share one renewal", async (context) => {
	const { session, endpoint, notes } = await open(context);
	const state = serveSessions(endpoint);
	session.opened(responseWith("s1"), hello);
	session.ready(messageOf(initialized));
	await until(() => state.gets.length === 1);
	const renewals = await Promise.all([1, 2, 3].map(() => session.renew("s1")));
	assert.deepEqual(renewals, [true, true, true]);
	assert.deepEqual([session.id, state.opened, notes.length], ["n1", 1, 1]);
	// One that comes late finds the new session.
	assert.equal(await session.renew("s1"), true);
	assert.equal(state.opened, 1);
	// The pushes of the new session are listened to, those of the old one no more.
	await until(() => state.gets.length === 2 && state.gets[0]?.closed === true);
	assert.equal(state.gets[1]?.headers["mcp-session-id"], "n1");
	const told = endpoint.received.filter(({ body }) => body.includes("notifications/initialized"));
	assert.deepEqual(
		told.map(({ headers }) => headers["mcp-session-id"]),
		["n1"],
	);
});

test("a renewal whose answer is a stream works as well", async (context) => {
	const { session, endpoint } = await open(context);
	session.opened(responseWith("s1"), hello);
	endpoint.answer = ({ body, response }) => {
		response.setHeader("mcp-session-id", "n1");
		stream(response, result(parse(body)["id"], { protocolVersion: "2025-11-25" }));
		response.end();
	};
	assert.equal(await session.renew("s1"), true);
	assert.equal(session.id, "n1");
});

test("a renewal that is refused is told as one, and may be tried again", async (context) => {
	const { session, endpoint } = await open(context);
	session.opened(responseWith("s1"), hello);
	endpoint.answer = ({ response }) => response.writeHead(404).end('{"error":"server_unknown"}');
	assert.equal(await session.renew("s1"), false);
	serveSessions(endpoint);
	assert.equal(await session.renew("s1"), true);
});

test("the stream of pushes is opened again with the last event's id, after the time asked", async (context) => {
	const clock = new FakeClock();
	const { session, endpoint, pushed } = await open(context, clock);
	const { gets } = serveSessions(endpoint);
	session.opened(responseWith("s1"), hello);
	session.ready(messageOf(initialized));
	await until(() => gets.length === 1);
	gets[0]?.response.end("id: e1\nretry: 300\ndata: {}\n\n");
	await until(() => clock.pending === 1);
	assert.deepEqual(pushed, ["{}"]);
	assert.equal(clock.next_due_ms, clock.monotonic() + 300);
	await clock.advance(300);
	await until(() => gets.length === 2);
	assert.equal(gets[1]?.headers["last-event-id"], "e1");
});

test("a gateway without pushes is asked once only", async (context) => {
	const clock = new FakeClock();
	const { session, endpoint } = await open(context, clock);
	endpoint.answer = ({ response }) => response.writeHead(405).end();
	session.opened(responseWith("s1"), hello);
	session.ready(messageOf(initialized));
	await until(() => endpoint.received[0]?.closed === true);
	await clock.advance(60_000);
	assert.equal(endpoint.received.length, 1);
});

test("a stream of pushes that finds the session lost renews it", async (context) => {
	const { session, endpoint } = await open(context);
	session.opened(responseWith("s1"), hello);
	const state = serveSessions(endpoint);
	const { answer } = endpoint;
	endpoint.answer = (received) => {
		if (received.headers["mcp-session-id"] === "s1") received.response.writeHead(404).end();
		else answer(received);
	};
	session.ready(messageOf(initialized));
	await until(() => state.gets.length === 1);
	assert.equal(session.id, "n1");
});

test("the end of the client's input ends the pushes, and the goodbye ends the session", async (context) => {
	const { session, endpoint, closing } = await open(context);
	const { gets } = serveSessions(endpoint);
	session.opened(responseWith("s1"), hello);
	session.ready(messageOf(initialized));
	await until(() => gets.length === 1);
	closing.abort();
	await until(() => gets[0]?.closed === true);
	await session.end(new AbortController().signal);
	const last = endpoint.received.at(-1);
	assert.deepEqual([last?.method, last?.headers["mcp-session-id"]], ["DELETE", "s1"]);
	assert.equal(session.id, undefined);
	await session.end(new AbortController().signal);
	assert.equal(endpoint.received.filter(({ method }) => method === "DELETE").length, 1);
});
