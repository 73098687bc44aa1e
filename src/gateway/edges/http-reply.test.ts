import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, request, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { test } from "node:test";
import { FakeClock } from "../../../test/support/fake-clock.ts";
import { HttpReply, keep_alive_ms, unread_bytes_max, unread_ms_max } from "./http-reply.ts";

/** One exchange on a real connection: the server's response and the client's view of it. */
async function exchange(t: { after(fn: () => void): void }) {
	const server = createServer();
	server.listen(0, "127.0.0.1");
	await once(server, "listening");
	const { port } = server.address() as AddressInfo;
	const outgoing = request({ port, host: "127.0.0.1" });
	t.after(() => {
		// A client that does not read would not see its connection end.
		outgoing.destroy();
		server.closeAllConnections();
		server.close();
	});
	outgoing.on("error", () => undefined);
	outgoing.end();
	const [, response] = (await once(server, "request")) as [unknown, ServerResponse];
	return { outgoing, response };
}

const json = Buffer.from('{"jsonrpc":"2.0","id":1,"result":{}}');

async function textOf(outgoing: ReturnType<typeof request>): Promise<[string, string]> {
	const [incoming] = await once(outgoing, "response");
	const chunks: Buffer[] = [];
	for await (const chunk of incoming) chunks.push(chunk as Buffer);
	return [incoming.headers["content-type"], Buffer.concat(chunks).toString("utf8")];
}

test("a lone result goes out as plain JSON", async (t) => {
	const { outgoing, response } = await exchange(t);
	const reply = new HttpReply(response, { clock: new FakeClock(), headers: {}, streams: true });
	reply.finish(json, 200);
	assert.deepEqual(await textOf(outgoing), ["application/json", json.toString()]);
	assert.ok(reply.finished);
});

test("a message ahead of the result makes a stream of both", async (t) => {
	const { outgoing, response } = await exchange(t);
	const reply = new HttpReply(response, { clock: new FakeClock(), headers: {}, streams: true });
	reply.send(Buffer.from('{"note":"é"}'));
	reply.finish(json, 200);
	const [type, text] = await textOf(outgoing);
	assert.equal(type, "text/event-stream");
	assert.equal(text, `data: {"note":"é"}\n\ndata: ${json.toString()}\n\n`);
});

test("a client that takes no streams gets the result alone", async (t) => {
	const { outgoing, response } = await exchange(t);
	const reply = new HttpReply(response, { clock: new FakeClock(), headers: {}, streams: false });
	reply.send(Buffer.from('{"note":1}'));
	reply.finish(json, 200);
	assert.deepEqual(await textOf(outgoing), ["application/json", json.toString()]);
});

test("a long silence is broken by a comment", async (t) => {
	const { outgoing, response } = await exchange(t);
	const clock = new FakeClock();
	const reply = new HttpReply(response, { clock, headers: {}, streams: true });
	const whole = textOf(outgoing);
	await clock.advance(keep_alive_ms);
	reply.finish(json, 200);
	const [type, text] = await whole;
	assert.equal(type, "text/event-stream");
	assert.match(text, /^:.*\n\ndata: /);
});

test("each silence of a reply is broken anew", async (t) => {
	const { outgoing, response } = await exchange(t);
	const clock = new FakeClock();
	const reply = new HttpReply(response, { clock, headers: {}, streams: true });
	const whole = textOf(outgoing);
	await clock.advance(3 * keep_alive_ms);
	reply.finish(json, 200);
	const [, text] = await whole;
	assert.equal(text.match(/^:/gm)?.length, 3);
});

test("nothing is kept or written for a client that is gone", async (t) => {
	const { outgoing, response } = await exchange(t);
	const clock = new FakeClock();
	const reply = new HttpReply(response, { clock, headers: {}, streams: true });
	const closed = once(response, "close");
	outgoing.destroy();
	await closed;
	await clock.advance(keep_alive_ms);
	assert.equal(reply.streaming, false);
	assert.equal(clock.pending, 0, "nobody waits for its next silence");
});

test("a client that never reads is cut off before its messages fill the memory", async (t) => {
	const { outgoing, response } = await exchange(t);
	const [incoming] = await (async () => {
		const reply = new HttpReply(response, { clock: new FakeClock(), headers: {}, streams: true });
		const arrived = once(outgoing, "response");
		const message = Buffer.alloc(1024 * 1024, "x");
		const closed = once(response, "close");
		// Far more than the connection's own buffers hold, sent without waiting for the reader.
		for (let sent = 0; sent < 64; sent += 1) reply.send(message);
		assert.ok(response.writableLength <= unread_bytes_max + 2 * message.length);
		await closed;
		return arrived;
	})();
	incoming.on("error", () => undefined);
	incoming.resume();
	assert.ok(response.destroyed);
});

test("a client that does not read is behind until it does", async (t) => {
	const { outgoing, response } = await exchange(t);
	const reply = new HttpReply(response, { clock: new FakeClock(), headers: {}, streams: true });
	assert.equal(reply.backlog(), undefined);
	const arrived = once(outgoing, "response");
	const message = Buffer.alloc(1024 * 1024, "x");
	while (reply.backlog() === undefined) reply.send(message);
	const caught_up = reply.backlog();
	assert.equal(reply.backlog(), caught_up);
	const [incoming] = await arrived;
	incoming.resume();
	await caught_up;
	assert.equal(reply.backlog(), undefined);
	assert.equal(response.destroyed, false);
	reply.finish(json, 200);
	await once(incoming, "end");
});

test("a client that stays behind for a minute is cut off, and nobody waits for it", async (t) => {
	const { outgoing, response } = await exchange(t);
	const clock = new FakeClock();
	const reply = new HttpReply(response, { clock, headers: {}, streams: true });
	const arrived = once(outgoing, "response");
	const message = Buffer.alloc(1024 * 1024, "x");
	// Until the connection's own buffers are full as well.
	for (let turn = 0; turn < 50; turn += 1) {
		while (response.writableLength < unread_bytes_max / 2) reply.send(message);
		await new Promise((resolve) => setImmediate(resolve));
	}
	const caught_up = reply.backlog();
	const [incoming] = await arrived;
	incoming.on("error", () => undefined);
	await clock.advance(unread_ms_max);
	await caught_up;
	assert.ok(response.destroyed);
	assert.equal(reply.backlog(), undefined);
});
