import assert from "node:assert/strict";
import { createServer, get, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { type TestContext, test } from "node:test";
import { FakeClock } from "../../../test/support/fake-clock.ts";
import { until } from "../../../test/support/until.ts";
import { SseChannel, SseLink } from "./sse-link.ts";

interface Opened {
	readonly response: ServerResponse;
	/** What the client has read, up to this text. */
	readUntil(text: string): Promise<string>;
	leave(): void;
}

/** A real response and its client. */
async function openResponse(context: TestContext): Promise<Opened> {
	const arrived = Promise.withResolvers<ServerResponse>();
	const server = createServer((_request, response) => arrived.resolve(response));
	await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
	context.after(() => {
		server.closeAllConnections();
		server.close();
	});
	let read = "";
	const request = get({ port: (server.address() as AddressInfo).port }, (incoming) => {
		incoming.on("error", () => undefined);
		incoming.on("data", (chunk: Buffer) => {
			read += chunk.toString();
		});
	});
	request.on("error", () => undefined);
	return {
		response: await arrived.promise,
		async readUntil(text) {
			await until(() => read.includes(text));
			return read;
		},
		leave: () => request.destroy(),
	};
}

function linkWith(waiting_bytes_max: number) {
	const clock = new FakeClock();
	const over: SseLink[] = [];
	const stopping = new AbortController();
	const link = new SseLink({
		id: "link-1",
		endpoint: "echo",
		principal: "local",
		clock,
		stopping: stopping.signal,
		waiting_bytes_max,
		onOver: (ended) => over.push(ended),
	});
	return { clock, link, over, stopping };
}

const gone = (response: ServerResponse) =>
	new Promise<void>((resolve) => response.once("close", () => resolve()));

test("the stream begins with the address and carries every message in order", async (context) => {
	const { link } = linkWith(1_000);
	const opened = await openResponse(context);
	link.attach(opened.response, {}, "/echo/message?sessionId=link-1");
	const channel = new SseChannel(link);
	channel.send(Buffer.from('{"n":1}'));
	channel.finish(Buffer.from('{"n":2}'), 200);
	channel.send(Buffer.from('{"n":3}'));
	const text = await opened.readUntil('{"n":2}');
	assert.match(text, /^event: endpoint\ndata: \/echo\/message\?sessionId=link-1\n\n/);
	assert.match(text, /event: message\ndata: \{"n":1\}\n\nevent: message\ndata: \{"n":2\}/);
	assert.doesNotMatch(text, /"n":3/);
	link.close();
});

test("a client without a session is gone with its stream", async (context) => {
	const { link, over } = linkWith(1_000);
	const opened = await openResponse(context);
	link.attach(opened.response, {}, "/message");
	const closed = gone(opened.response);
	opened.leave();
	await closed;
	assert.deepEqual(over, [link]);
	assert.equal(link.signal.aborted, true);
});

test("what a client is owed while nobody reads is bounded", () => {
	const { link, over } = linkWith(100);
	link.send(Buffer.alloc(60, "a"));
	assert.deepEqual(over, []);
	link.send(Buffer.alloc(60, "b"));
	assert.deepEqual(over, [link]);
	link.close();
	assert.equal(over.length, 1);
});

test("what was owed is sent when the stream is opened", async (context) => {
	const { link } = linkWith(1_000);
	link.send(Buffer.from('{"early":true}'));
	const opened = await openResponse(context);
	link.attach(opened.response, {}, "/message");
	const text = await opened.readUntil("early");
	assert.ok(text.indexOf("event: endpoint") < text.indexOf("early"));
	link.close();
});

test("a gateway that stops ends no sessions with the streams it cuts", async (context) => {
	const { link, over, stopping } = linkWith(1_000);
	const opened = await openResponse(context);
	link.attach(opened.response, {}, "/message");
	stopping.abort();
	const closed = gone(opened.response);
	opened.leave();
	await closed;
	assert.deepEqual(over, []);
});
