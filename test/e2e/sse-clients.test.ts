import assert from "node:assert/strict";
import { get } from "node:http";
import { after, before, test } from "node:test";
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { SSEClientTransport } from "@modelcontextprotocol/sdk/client/sse.js";
import { ElicitRequestSchema } from "@modelcontextprotocol/sdk/types.js";
import { startGateway, stdioFixture, type TestGateway } from "../support/gateway.ts";
import { exchange } from "../support/raw-client.ts";

let gateway: TestGateway;

before(async () => {
	gateway = await startGateway(
		{
			servers: {
				asking: stdioFixture("asking"),
				echo: stdioFixture("echo"),
				progress: stdioFixture("progress"),
				changing: stdioFixture("list-changing"),
			},
		},
		{
			wrong: [
				{
					hop: "clients",
					direction: "to-server",
					complaint: /^not JSON$/u,
					text: /^\{$/u,
					why: "A body that is no message is refused at this transport too.",
				},
			],
		},
	);
});

after(() => gateway.stop());

const post_type = { "content-type": "application/json" };

async function connect(path: string, at = gateway, capabilities: object = {}): Promise<Client> {
	const client = new Client({ name: "sse-test", version: "1.0.0" }, { capabilities });
	await client.connect(new SSEClientTransport(new URL(path, at.url)));
	return client;
}

/** Opens a stream by hand: its first event, and how to end it. */
function openStream(
	path: string,
	headers: Record<string, string> = {},
): Promise<{ status: number; text: string; address: string; close(): void }> {
	return new Promise((resolve, reject) => {
		const request = get(new URL(path, gateway.url), { headers }, (response) => {
			response.once("data", (chunk: Buffer) => {
				const text = chunk.toString();
				const address = /^data: (.*)$/m.exec(text)?.[1] ?? "";
				const status = response.statusCode ?? 0;
				resolve({ status, text, address, close: () => request.destroy() });
			});
			response.on("error", () => undefined);
		});
		request.on("error", reject);
	});
}

test("a client of the old transport lists and calls the tools of one server", async () => {
	const client = await connect("/echo/sse");
	const { tools } = await client.listTools();
	assert.ok(tools.some(({ name }) => name === "echo"));
	const result = await client.callTool({ name: "echo", arguments: { text: "hi" } });
	assert.match(JSON.stringify(result.content), /hi/);
	await client.close();
});

test("a client of the old transport uses all servers at one address", async () => {
	const client = await connect("/sse");
	const result = await client.callTool({ name: "echo__echo", arguments: { text: "all" } });
	assert.match(JSON.stringify(result.content), /all/);
	await client.close();
});

test("progress reaches a client of the old transport before the result", async () => {
	const client = await connect("/progress/sse");
	// This SDK drops progress that it reads in one piece with the result, so the result waits.
	const heard = Promise.withResolvers<number>();
	const onprogress = ({ progress }: { progress: number }) => heard.resolve(progress);
	const call = client.callTool({ name: "patient", arguments: {} }, undefined, { onprogress });
	assert.equal(await heard.promise, 1);
	await client.callTool({ name: "release", arguments: {} });
	assert.match(JSON.stringify((await call).content), /released/);
	await client.close();
});

test("a client of the old transport answers what a server asks", async () => {
	const client = await connect("/asking/sse", gateway, { elicitation: { form: {} } });
	client.setRequestHandler(ElicitRequestSchema, () => ({
		action: "accept",
		content: { name: "Ada" },
	}));
	const result = await client.callTool({ name: "elicit", arguments: {} });
	assert.match(JSON.stringify(result.content), /Ada/);
	await client.close();
});

test("the first event of a stream says where to post", async () => {
	const stream = await openStream("/echo/sse");
	assert.equal(stream.status, 200);
	assert.match(stream.text, /^event: endpoint\ndata: \/echo\/message\?sessionId=[\w-]{43}\n/);
	stream.close();
});

test("what is posted under a foreign or an unknown id is refused", async () => {
	const stream = await openStream("/echo/sse");
	const body = '{"jsonrpc":"2.0","id":1,"method":"ping"}';
	const elsewhere = new URL(stream.address.replace("/echo/", "/asking/"), gateway.url);
	assert.equal((await exchange(elsewhere, { headers: post_type, body })).status, 404);
	const unknown = new URL("/echo/message?sessionId=nobody", gateway.url);
	assert.equal((await exchange(unknown, { headers: post_type, body })).status, 404);
	const own = new URL(stream.address, gateway.url);
	assert.equal((await exchange(own, { headers: post_type, body })).status, 202);
	const text = { "content-type": "text/plain" };
	assert.equal((await exchange(own, { headers: text, body })).status, 415);
	assert.equal((await exchange(own, { headers: post_type, body: `[${body}]` })).status, 400);
	assert.equal((await exchange(own, { headers: post_type, body: "{" })).status, 400);
	assert.equal((await exchange(own, { method: "GET" })).status, 405);
	stream.close();
});

test("a request without a handshake is served, and the handshake may follow", async () => {
	const transport = new SSEClientTransport(new URL("/asking/sse", gateway.url));
	const answers = new Map<unknown, object>();
	let told = Promise.withResolvers<void>();
	transport.onmessage = (message) => {
		answers.set((message as { id?: unknown }).id, message);
		told.resolve();
	};
	const ask = async (id: number, method: string, params: Record<string, unknown>) => {
		told = Promise.withResolvers<void>();
		await transport.send({ jsonrpc: "2.0", id, method, params });
		await told.promise;
		return answers.get(id) as { result?: Record<string, unknown>; error?: unknown };
	};
	await transport.start();
	assert.ok((await ask(1, "tools/list", {})).result !== undefined);
	const hello = {
		protocolVersion: "2024-11-05",
		capabilities: {},
		clientInfo: { name: "late", version: "1" },
	};
	assert.equal((await ask(2, "initialize", hello)).result?.["protocolVersion"], "2024-11-05");
	assert.ok((await ask(3, "initialize", hello)).error !== undefined);
	assert.ok((await ask(4, "tools/list", {})).result !== undefined);
	await transport.close();
});

test("a client of the old transport goes on after a restart of the gateway", async () => {
	const servers = { changing: stdioFixture("list-changing") };
	const first = await startGateway({ servers });
	const port = Number(new URL(first.url).port);
	const client = await connect("/changing/sse", first);
	await first.daemon.stop();
	const second = await startGateway({ servers }, { folder: first.folder, port });
	// The client's EventSource finds the way back by itself; its next call simply works.
	const { tools } = await listUntilBack(client);
	assert.ok(tools.length > 0);
	await client.close();
	await second.daemon.stop();
	await first.stop();
});

/** Posting fails until the new gateway has told the client its address. */
async function listUntilBack(client: Client): Promise<{ tools: unknown[] }> {
	for (;;) {
		try {
			return await client.listTools();
		} catch (error) {
			assert.match(String(error), /404|fetch failed|POST/i);
			await new Promise((resolve) => setImmediate(resolve));
		}
	}
}

test("the old transport can be switched off", async () => {
	const off = await startGateway({ sse: "off", servers: { echo: stdioFixture("echo") } });
	const answer = await exchange(new URL("/echo/sse", off.url), { method: "GET" });
	assert.equal(answer.status, 404);
	await off.stop();
});
