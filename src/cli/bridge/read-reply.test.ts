import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { encodeSseEvent, sse_comment_keep_alive } from "../../wire/sse.ts";
import type { LinkResponse } from "./link.ts";
import { isEventStream, readBody, readEvents } from "./read-reply.ts";

function responseOf(
	chunks: readonly (Buffer | string | Error)[],
	type = "text/event-stream",
): LinkResponse {
	async function* body() {
		for (const chunk of chunks) {
			if (chunk instanceof Error) throw chunk;
			yield Buffer.from(chunk);
		}
	}
	return { status: 200, headers: { "content-type": type }, body: body() };
}

async function readAll(response: LinkResponse) {
	const messages: string[] = [];
	const end = await readEvents(response, async (data) => {
		messages.push(data.toString());
	});
	return { messages, end };
}

test("a stream of events is told by its media type alone", () => {
	const types = [
		["text/event-stream", true],
		["Text/Event-Stream; charset=utf-8", true],
		["application/json", false],
		["", false],
	] as const;
	for (const [type, expected] of types) {
		assert.equal(isEventStream(responseOf([], type)), expected, type);
	}
	assert.equal(isEventStream({ status: 200, headers: {}, body: responseOf([]).body }), false);
});

test("messages come in order; comments, priming events and other events are none", async () => {
	const { messages, end } = await readAll(
		responseOf([
			"retry: 250\nid: 1\ndata:\n\n",
			sse_comment_keep_alive,
			encodeSseEvent({ data: Buffer.from("a"), id: "2" }),
			encodeSseEvent({ data: Buffer.from("x"), event: "endpoint" }),
			encodeSseEvent({ data: Buffer.from("b"), event: "message" }),
		]),
	);
	assert.deepEqual(messages, ["a", "b"]);
	assert.deepEqual(end, { broken: false, last_event_id: "2", retry_ms: 250 });
});

test("a connection that breaks gives what came whole, and says that it broke", async () => {
	const { messages, end } = await readAll(
		responseOf(["data: a\n\ndata: b\n", new Error("connection reset")]),
	);
	assert.deepEqual(messages, ["a"]);
	assert.equal(end.broken, true);
});

test("the next bytes are taken only when the messages so far are done with", async () => {
	const steps: string[] = [];
	async function* body() {
		for (const name of ["a", "b"]) {
			steps.push(`give ${name}`);
			yield Buffer.from(`data: ${name}\n\n`);
		}
	}
	const response = { status: 200, headers: {}, body: body() };
	await readEvents(response, async (data) => {
		await new Promise((resolve) => setImmediate(resolve));
		steps.push(`done ${data.toString()}`);
	});
	assert.deepEqual(steps, ["give a", "done a", "give b", "done b"]);
});

test("messages do not depend on how the bytes are cut", async () => {
	const texts = fc.array(fc.string({ minLength: 1 }).map((text) => JSON.stringify(text)));
	await fc.assert(
		fc.asyncProperty(texts, fc.integer({ min: 1, max: 7 }), async (sent, size) => {
			const bytes = Buffer.concat(sent.map((text) => encodeSseEvent({ data: Buffer.from(text) })));
			const chunks: Buffer[] = [];
			for (let at = 0; at < bytes.length; at += size) chunks.push(bytes.subarray(at, at + size));
			const { messages } = await readAll(responseOf(chunks));
			assert.deepEqual(messages, sent);
		}),
	);
});

test("a body is read whole, or not at all when the connection breaks", async () => {
	assert.equal((await readBody(responseOf(["a", "b"])))?.toString(), "ab");
	assert.equal((await readBody(responseOf([])))?.length, 0);
	assert.equal(await readBody(responseOf(["a", new Error("reset")])), undefined);
});
