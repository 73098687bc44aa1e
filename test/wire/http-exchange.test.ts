import assert from "node:assert/strict";
import { test } from "node:test";
import { EventData, type SeenEvent } from "./event-data.ts";
import { HttpConversations, HttpExchange } from "./http-exchange.ts";

const call = '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"echo"}}';
const wrong = '{"jsonrpc":"2.0","id":1,"result":{}}';

function watched() {
	const complaints: string[] = [];
	const hop = new HttpConversations((direction, complaint) => {
		complaints.push(`${direction}: ${complaint}`);
	});
	const exchange = (head: { method?: string; path?: string; session?: string } = {}) =>
		new HttpExchange(hop, {
			method: head.method ?? "POST",
			path: head.path ?? "/mcp",
			session: head.session,
			declared: "2025-11-25",
		});
	return { complaints, exchange };
}

test("events come together from pieces of any size", () => {
	const bytes = Buffer.from(
		': a comment\r\nid: 7\r\nevent: endpoint\r\ndata: /here\r\n\r\ndata: {"é":\ndata:1}\n\ndata\n\n',
	);
	for (let size = 1; size <= bytes.length; size += 1) {
		const seen: SeenEvent[] = [];
		const events = new EventData((event) => seen.push(event));
		for (let at = 0; at < bytes.length; at += size) events.push(bytes.subarray(at, at + size));
		assert.deepEqual(seen, [
			{ event: "endpoint", data: "/here" },
			{ event: "message", data: '{"é":\n1}' },
		]);
	}
});

test("a JSON answer and a stream are both held against what was posted", () => {
	const { complaints, exchange } = watched();
	for (const type of ["application/json", "text/event-stream"]) {
		const one = exchange();
		one.posted(Buffer.from(call));
		one.answered(type, undefined);
		const text = type === "application/json" ? wrong : `data: ${wrong}\n\n`;
		for (const byte of Buffer.from(text)) one.data(Buffer.from([byte]));
		one.ended();
	}
	assert.equal(complaints.length, 2);
	for (const complaint of complaints) assert.match(complaint, /^to-client: the answer to tools/u);
});

test("an answer on another stream of the session finds its question", () => {
	const { complaints, exchange } = watched();
	exchange({ session: "s" }).posted(Buffer.from(call));
	const stream = exchange({ session: "s", method: "GET" });
	stream.answered("text/event-stream", undefined);
	stream.data(Buffer.from(`data: ${wrong}\n\n`));
	assert.match(complaints[0] ?? "", /^to-client: the answer to tools\/call/u);
	const other = exchange({ session: "t", method: "GET" });
	other.answered("text/event-stream", undefined);
	other.data(Buffer.from(`data: ${wrong}\n\n`));
	assert.equal(complaints.length, 1);
});

test("over HTTP+SSE the posts belong to the stream that named their address", () => {
	const { complaints, exchange } = watched();
	const stream = exchange({ method: "GET", path: "/sse" });
	stream.answered("text/event-stream", undefined);
	stream.data(Buffer.from("event: endpoint\ndata: /message?sessionId=1\n\n"));
	exchange({ path: "/message?sessionId=1" }).posted(Buffer.from(call));
	stream.data(Buffer.from(`data: ${wrong}\n\n`));
	assert.match(complaints[0] ?? "", /^to-client: the answer to tools\/call/u);
});

test("pages and texts are no messages, and half an answer is none either", () => {
	const { complaints, exchange } = watched();
	const page = exchange();
	page.answered("text/html", undefined);
	page.data(Buffer.from("<html>"));
	page.ended();
	const broken = exchange();
	broken.answered("application/json", undefined);
	broken.data(Buffer.from('{"jsonrpc"'));
	assert.deepEqual(complaints, []);
});
