import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { after, before, describe, test } from "node:test";
import { startGateway, stdioFixture, type TestGateway } from "../support/gateway.ts";
import { type Parsed, textOf } from "../support/raw-client.ts";
import { openWire } from "../support/wire-clients.ts";

/**
 * Servers that get the protocol wrong, over HTTP and over a pipe: the call at hand ends as it
 * has to, the server's log says what was odd, and the next call is served as if nothing had been.
 */

const eras = ["legacy", "modern"] as const;
const broken = "is not a valid message";

let remote: Server;
let gateway: TestGateway;

/** What a server writes for a call, as the body of an event stream; the name is the tool's. */
const streams: Readonly<Record<string, (reply: string, id: string) => string | Buffer>> = {
	good: (reply) => `data: ${reply}\n\n`,
	"an event that is not JSON": (reply) => `data: {"jsonrpc":\n\ndata: ${reply}\n\n`,
	"an event of a type nobody knows": (reply) => `event: surprise\ndata: {}\n\ndata: ${reply}\n\n`,
	"lines that are no fields": (reply) => `nonsense\n: comment\nid\n\n:\n\ndata: ${reply}\n\n`,
	"an event that is no UTF-8": (reply) =>
		Buffer.concat([
			Buffer.from('data: {"jsonrpc":"2.0","method":"x","params":{"a":"'),
			Buffer.from([0xc3, 0x28]),
			Buffer.from(`"}}\n\ndata: ${reply}\n\n`),
		]),
	"an event that is an array of nothing": (reply) => `data: []\n\ndata: ${reply}\n\n`,
	"two answers": (reply) => `data: ${reply}\n\ndata: ${reply.replace("good", "second")}\n\n`,
	"an id nobody asked for": (reply) =>
		`data: {"jsonrpc":"2.0","id":987654,"result":{}}\n\ndata: ${reply}\n\n`,
	"a result that is no object": (_reply, id) =>
		`data: {"jsonrpc":"2.0","id":${id},"result":"text"}\n\n`,
	"a stream cut off in an event": (reply) => `data: ${reply}`,
	"an error without a code": (_reply, id) => `data: {"jsonrpc":"2.0","id":${id},"error":{}}\n\n`,
};

/** A server that answers its handshake in either era and writes what its tool's name says. */
function serve(era: string, request: IncomingMessage, response: ServerResponse, body: string) {
	if (request.method !== "POST") return response.writeHead(405).end();
	const { id, method, params } = JSON.parse(body) as {
		id?: number;
		method: string;
		params?: { name?: string };
	};
	if (id === undefined) return response.writeHead(202).end();
	const modern = era === "modern";
	const shape = modern ? { resultType: "complete", ttlMs: 0, cacheScope: "private" } : {};
	const answer = (status: number, outcome: object) => {
		response.writeHead(status, { "content-type": "application/json" });
		response.end(JSON.stringify({ jsonrpc: "2.0", id, ...outcome }));
	};
	const capabilities = { tools: {} };
	const serverInfo = { name: "bad", version: "1" };
	if (method === "server/discover" && modern) {
		const supportedVersions = ["2026-07-28"];
		return answer(200, { result: { ...shape, supportedVersions, capabilities, serverInfo } });
	}
	if (method === "initialize" && !modern) {
		return answer(200, {
			result: { protocolVersion: "2025-11-25", capabilities, serverInfo },
		});
	}
	if (method === "tools/list") {
		const inputSchema = { type: "object" };
		const tools = Object.keys(streams).map((name) => ({ name, inputSchema }));
		return answer(200, { result: { ...shape, tools } });
	}
	const stream = streams[params?.name ?? ""];
	if (method !== "tools/call" || stream === undefined) {
		return answer(modern ? 404 : 200, { error: { code: -32601, message: "No such method" } });
	}
	const { resultType } = shape as { resultType?: string };
	const result = { ...(modern ? { resultType } : {}), content: [{ type: "text", text: "good" }] };
	response.writeHead(200, { "content-type": "text/event-stream" });
	return response.end(stream(JSON.stringify({ jsonrpc: "2.0", id, result }), String(id)));
}

before(async () => {
	remote = createServer((request, response) => {
		const chunks: Buffer[] = [];
		request.on("data", (chunk: Buffer) => chunks.push(chunk));
		request.on("end", () => {
			const era = request.url?.startsWith("/modern") === true ? "modern" : "legacy";
			serve(era, request, response, Buffer.concat(chunks).toString("utf8"));
		});
	});
	await new Promise<void>((resolve) => remote.listen(0, "127.0.0.1", resolve));
	const origin = `http://127.0.0.1:${(remote.address() as AddressInfo).port}`;
	const why = "This server gets the protocol wrong; its clients must not see any of it.";
	gateway = await startGateway(
		{
			servers: {
				legacy: { url: `${origin}/legacy` },
				modern: { url: `${origin}/modern` },
				chatty: stdioFixture("chatty"),
			},
			// A disk that is busy for a second is an error in the log too, and no server's doing.
			audit: "off",
		},
		{
			wrong: [
				{ hop: "servers", direction: "to-client", complaint: /^/u, why },
				{ hop: "pipes", direction: "to-client", complaint: /^/u, why },
			],
		},
	);
});

after(async () => {
	await gateway.stop();
	remote.closeAllConnections();
	remote.close();
});

/** What stands in the log of a server. */
async function logOf(server: string): Promise<string> {
	const token = (await readFile(gateway.daemon.admin_token_path, "utf8")).trim();
	const answer = await fetch(new URL(`/api/servers/${server}/logs?tail=1000`, gateway.url), {
		headers: { authorization: `Bearer ${token}` },
	});
	assert.equal(answer.status, 200);
	return answer.text();
}

/** A failed tool call, by the code of its fault. */
function faultCodeOf({ result }: Parsed): unknown {
	return (result._meta["dev.moorage/error"] as { code?: unknown }).code;
}

/** The tools whose call is answered all the same, and what the log says of each. */
const answered: readonly (readonly [string, RegExp])[] = [
	["an event that is not JSON", /not a message/],
	["an event of a type nobody knows", /^/],
	["lines that are no fields", /^/],
	["an event that is no UTF-8", /not a message/],
	["an event that is an array of nothing", /not a message/],
	["two answers", /no request waits for/],
	["an id nobody asked for", /no request waits for \(id 987654\)/],
];

for (const server of eras) {
	describe(`a remote ${server} server`, () => {
		for (const [tool, says] of answered) {
			test(`${tool}: the call is answered, and the log says what was odd`, async () => {
				for (const era of eras) {
					const client = await openWire(era, gateway.address(server));
					assert.equal(textOf(await client.call(tool)), "good");
				}
				assert.match(await logOf(server), says);
			});
		}

		for (const [tool, code] of [
			["a result that is no object", "server_protocol"],
			["an error without a code", "server_protocol"],
			["a stream cut off in an event", "server_exited"],
		] as const) {
			test(`${tool}: its call fails with ${code}, and the next one is served`, async () => {
				for (const era of eras) {
					const client = await openWire(era, gateway.address(server));
					assert.equal(faultCodeOf(await client.call(tool)), code);
					assert.equal(textOf(await client.call("good")), "good");
				}
			});
		}
	});
}

test("over a pipe the same things stand in the log, and the calls around them are served", async () => {
	const client = await openWire("modern", gateway.address("chatty"));
	assert.equal(textOf(await client.call("unknown_id")), "still here");
	assert.equal(textOf(await client.call("twice")), "first");
	assert.match(textOf(await client.call("invalid_utf8")), /^after /);
	assert.equal(faultCodeOf(await client.call("not_object")), "server_protocol");
	assert.equal(textOf(await client.call("echo", '{"text":"on"}')), "on");
	const log = await logOf("chatty");
	assert.match(log, /no request waits for \(id 987654321\)/);
	assert.match(log, /no request waits for \(id \\"nobody\\"\)/);
	assert.equal(log.match(/no request waits for/g)?.length, 3);
	assert.match(log, /\\ufffd|\ufffd/u);
});

test("what a server got wrong is in the gateway's own log where a caller was told of it", () => {
	const faults = gateway.log.lines.filter(({ message }) => message.includes(broken));
	assert.ok(faults.length > 0);
	assert.deepEqual(
		gateway.log.lines.filter(({ level }) => level === "error"),
		[],
	);
});
