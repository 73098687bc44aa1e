import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, request as httpRequest, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { type TestContext, test } from "node:test";
import { adminOptions } from "../../test/support/admin-options.ts";
import { logLine, RecordingBackend } from "../../test/support/recording-backend.ts";
import { until } from "../../test/support/until.ts";
import { createAdminApi } from "./api.ts";
import { createAdminListener } from "./listener.ts";

const token = `moorage_admin_${"t".repeat(43)}`;
const authorized = { authorization: `Bearer ${token}` };

interface Scene {
	readonly backend: RecordingBackend;
	readonly url: string;
	readonly server: Server;
	stop(): void;
}

async function startScene(context: TestContext): Promise<Scene> {
	const backend = new RecordingBackend();
	const stopping = new AbortController();
	const app = createAdminApi(backend, adminOptions(token, { signal: stopping.signal }));
	const listener = createAdminListener(app);
	const server = createServer((request, response) => void listener(request, response));
	server.listen(0, "127.0.0.1");
	await once(server, "listening");
	context.after(() => {
		server.closeAllConnections();
		server.close();
	});
	const { port } = server.address() as AddressInfo;
	return { backend, server, url: `http://127.0.0.1:${port}`, stop: () => stopping.abort() };
}

/** Reads from a stream until the text is there, and gives everything read so far. */
async function readUntil(
	reader: ReadableStreamDefaultReader<Uint8Array>,
	text: string,
): Promise<string> {
	let read = "";
	while (!read.includes(text)) {
		const { value, done } = await reader.read();
		assert.ok(!done, `the stream ended without ${text}: ${read}`);
		read += Buffer.from(value).toString();
	}
	return read;
}

for (const how of ["?follow=1", "Accept"]) {
	test(`a log is followed over a real socket when asked by ${how}`, async (context) => {
		const { backend, url } = await startScene(context);
		const suffix = how === "Accept" ? "" : how;
		const accept = how === "Accept" ? { accept: "text/event-stream" } : {};
		const response = await fetch(`${url}/api/servers/time/logs${suffix}`, {
			headers: { ...authorized, ...accept },
		});
		assert.equal(response.headers.get("content-type"), "text/event-stream");
		assert.equal(response.headers.get("cache-control"), "no-store");
		const reader = (response.body as ReadableStream<Uint8Array>).getReader();
		const first = await readUntil(reader, "started");
		assert.ok(first.includes(`event: line\ndata: ${JSON.stringify(logLine("started"))}\n\n`));
		for (const follower of backend.followers) follower(logLine("later"));
		await readUntil(reader, '"text":"later"');
		await reader.cancel();
		await until(() => backend.followers.size === 0);
	});
}

test("followed logs end when the gateway stops", async (context) => {
	const scene = await startScene(context);
	const { backend, url } = scene;
	const response = await fetch(`${url}/api/servers/time/logs?follow=1`, { headers: authorized });
	const reader = (response.body as ReadableStream<Uint8Array>).getReader();
	await readUntil(reader, "started");
	scene.stop();
	for (;;) if ((await reader.read()).done) break;
	assert.equal(backend.followers.size, 0);
});

test("one person follows only so many logs at once, and an ended one makes room", async (context) => {
	const { backend, url } = await startScene(context);
	const follow = () => fetch(`${url}/api/servers/time/logs?follow=1`, { headers: authorized });
	const open = await Promise.all(Array.from({ length: 16 }, follow));
	assert.equal((await follow()).status, 503);
	assert.equal(backend.followers.size, 16);
	await open[0]?.body?.cancel();
	await until(() => backend.followers.size === 15);
	const another = await follow();
	assert.equal(another.status, 200);
	for (const response of [another, ...open.slice(1)]) await response.body?.cancel();
});

test("a caller that goes away cancels its call", async (context) => {
	const { backend, url } = await startScene(context);
	backend.tool_hangs = true;
	const request = httpRequest(`${url}/api/servers/time/tools/now/call`, {
		method: "POST",
		headers: authorized,
	});
	request.on("error", () => undefined);
	request.end();
	await until(() => backend.calls.length === 1);
	request.destroy();
	await until(() => backend.calls.includes("aborted"));
});

test("a body over the limit is refused over a real socket", async (context) => {
	const { backend, url } = await startScene(context);
	const response = await fetch(`${url}/api/servers/time/tools/now/call`, {
		method: "POST",
		headers: { ...authorized, "content-type": "application/json" },
		body: JSON.stringify({ text: "x".repeat(100_000) }),
	});
	assert.equal(response.status, 413);
	assert.deepEqual(backend.calls, []);
});
