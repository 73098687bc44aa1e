import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { test } from "node:test";
import { findWrk, loadWithWrk, luaScript, readCount } from "./wrk.ts";

const request = {
	port: 1,
	path: "/mcp",
	headers: { "content-type": "application/json", "x-text": 'say "é"' },
	body: '{"id":$ID,"text":"\\u00e9"}',
	marker: "",
};

test("what wrk printed last is read as figures, and replies of another status are errors", () => {
	const line =
		'{"requests":100,"duration_us":2000000,"status":3,"socket":1,"p50_us":900,"p99_us":5000,"p999_us":7000}';
	const count = readCount(`Running 2s test\n  whatever\n${line}\n`);
	const { calls, errors, seconds, p50_ms, p99_ms, p999_ms } = count;
	assert.deepEqual([calls, errors, seconds], [97, 4, 2]);
	assert.deepEqual([p50_ms, p99_ms, p999_ms], [0.9, 5, 7]);
});

test("the script holds nothing but printable ASCII, whatever is asked", () => {
	const script = luaScript({ ...request, sessions: ["a", "b"] });
	assert.match(script, /^[\x20-\x7e\n]*$/);
	assert.equal(script.match(/mcp-session-id: [ab]/g)?.length, 2);
});

const missing = findWrk() ? false : "wrk is not installed (Debian: wrk)";

test("wrk sends whole requests, each with an id of its own", { skip: missing }, async () => {
	const ids = new Set<number>();
	const server = createServer((incoming, response) => {
		let body = "";
		incoming.on("data", (chunk: Buffer) => {
			body += chunk.toString();
		});
		incoming.on("end", () => {
			ids.add((JSON.parse(body) as { id: number }).id);
			response.end("{}");
		});
	});
	server.listen(0, "127.0.0.1");
	await once(server, "listening");
	const { port } = server.address() as AddressInfo;
	const count = await loadWithWrk({ ...request, port }, 2, 1);
	server.close();
	server.closeAllConnections();
	assert.equal(count.errors, 0);
	assert.ok(count.calls > 0 && ids.size >= count.calls);
});
