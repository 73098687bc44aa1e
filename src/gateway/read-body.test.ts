import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { type AddressInfo, connect, type Socket } from "node:net";
import { test } from "node:test";
import { readBody } from "./read-body.ts";

const bytes_max = 100;

interface Scene {
	readonly socket: Socket;
	/** The next request, the outcome of reading its body, and its response. */
	next(): Promise<[IncomingMessage, ReturnType<typeof readBody>, ServerResponse]>;
}

/** A connection to a server that reads the body of every request as soon as it has the head. */
async function scene(t: { after(fn: () => void): void }): Promise<Scene> {
	const waiting: ((served: Awaited<ReturnType<Scene["next"]>>) => void)[] = [];
	const server = createServer((request, response) => {
		waiting.shift()?.([request, readBody(request, bytes_max), response]);
	});
	server.listen(0, "127.0.0.1");
	await once(server, "listening");
	const { port } = server.address() as AddressInfo;
	const socket = connect({ port, host: "127.0.0.1" });
	socket.on("error", () => undefined);
	t.after(() => {
		socket.destroy();
		server.close();
	});
	const next = () => new Promise<Awaited<ReturnType<Scene["next"]>>>((done) => waiting.push(done));
	return { socket, next };
}

const head = (more: string) => `POST / HTTP/1.1\r\nhost: here\r\n${more}\r\n\r\n`;
const text = (outcome: Awaited<ReturnType<typeof readBody>>) =>
	outcome.ok ? outcome.value.toString() : outcome.problem;

test("a body that comes with its head is read without a stream", async (t) => {
	const { socket, next } = await scene(t);
	const served = next();
	socket.write(`${head("content-length: 7")}{"é":1}`.slice(0, -1));
	const [request, read, response] = await served;
	assert.equal(text(await read), '{"é":1');
	assert.equal(request.readableFlowing, null);
	const again = next();
	response.end("done");
	socket.write(`${head("content-length: 2")}{}`);
	assert.equal(text(await (await again)[1]), "{}", "the connection goes on");
});

test("a body that comes in pieces is put together", async (t) => {
	const { socket, next } = await scene(t);
	const served = next();
	socket.write(`${head("content-length: 6")}abc`);
	const [request, read] = await served;
	const piece = once(request, "data");
	await piece;
	socket.write("def");
	assert.equal(text(await read), "abcdef");
});

test("chunks that come together are one body", async (t) => {
	const { socket, next } = await scene(t);
	const served = next();
	socket.write(`${head("transfer-encoding: chunked")}3\r\nabc\r\n3\r\ndef\r\n0\r\n\r\n`);
	assert.equal(text(await (await served)[1]), "abcdef");
});

test("a request without a body has an empty one", async (t) => {
	const { socket, next } = await scene(t);
	const served = next();
	socket.write(head("content-length: 0"));
	assert.equal(text(await (await served)[1]), "");
});

test("a body that says it is too large is not read at all", async (t) => {
	const { socket, next } = await scene(t);
	const served = next();
	socket.write(`${head(`content-length: ${bytes_max + 1}`)}abc`);
	const [request, read] = await served;
	assert.equal(text(await read), "too_large");
	assert.equal(request.readableFlowing, null);
});

test("a body that turns out too large is refused, in one piece or in several", async (t) => {
	const chunk = `33\r\n${"x".repeat(51)}\r\n`;
	for (const [sent, rest] of [
		[chunk + chunk, "0\r\n\r\n"],
		[`${chunk}${chunk}0\r\n\r\n`, ""],
	] as const) {
		const { socket, next } = await scene(t);
		const served = next();
		socket.write(head("transfer-encoding: chunked") + sent);
		const [, read] = await served;
		socket.write(rest);
		assert.equal(text(await read), "too_large");
	}
});

test("a client that leaves in the middle of its body is told from one that is done", async (t) => {
	const { socket, next } = await scene(t);
	const served = next();
	socket.write(`${head("content-length: 6")}abc`);
	const [, read] = await served;
	socket.destroy();
	assert.equal(text(await read), "aborted");
});
