import assert from "node:assert/strict";
import { once } from "node:events";
import { writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { hashApiKey, newApiKey } from "../../src/identity/api-keys.ts";
import { systemRandom } from "../../src/lib/random.ts";
import { startGateway } from "../support/gateway.ts";
import { runCli } from "../support/run-cli.ts";
import { tempFolder } from "../support/temp-folder.ts";
import { ModernWire } from "../support/wire-clients.ts";

/** What is in the headers of a remote server is exchanged while the server is used. */

/** A remote server whose one tool says with which credential it was called. */
async function startRemote(t: TestContext) {
	/** Credentials that are good; all are, where it is empty. */
	const good = new Set<string>();
	const methods: string[] = [];
	const server = createServer((request, response) => {
		const chunks: Buffer[] = [];
		request.on("data", (chunk: Buffer) => chunks.push(chunk));
		request.on("end", () => {
			if (request.method !== "POST") return response.writeHead(405).end();
			const sent = request.headers.authorization ?? "";
			if (good.size > 0 && !good.has(sent)) return response.writeHead(401).end();
			const { id, method } = JSON.parse(Buffer.concat(chunks).toString());
			methods.push(method);
			if (id === undefined) return response.writeHead(202).end();
			const results: Readonly<Record<string, object>> = {
				initialize: {
					protocolVersion: "2025-11-25",
					capabilities: { tools: {} },
					serverInfo: { name: "remote", version: "1" },
				},
				"tools/list": { tools: [{ name: "whoami", inputSchema: { type: "object" } }] },
				"tools/call": { content: [{ type: "text", text: sent }] },
			};
			const result = results[method];
			const error = { code: -32601, message: "There is no such method." };
			response.writeHead(200, {
				"content-type": "application/json",
				...(method === "initialize" && { "mcp-session-id": "one" }),
			});
			const outcome = result === undefined ? { error } : { result };
			return response.end(JSON.stringify({ jsonrpc: "2.0", id, ...outcome }));
		});
	});
	server.listen(0, "127.0.0.1");
	await once(server, "listening");
	t.after(() => {
		server.closeAllConnections();
		server.close();
	});
	const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/mcp`;
	const handshakes = () => methods.filter((method) => method === "initialize").length;
	return { url, good, handshakes };
}

/** A gateway in front of it, and what a call through it comes to. */
async function house(t: TestContext, remote: { url: string }, value: string, identity?: object) {
	const folder = await tempFolder(t);
	const secret = async (words: string[], input: string) => {
		const outcome = await runCli(["secret", ...words], { cwd: folder, input });
		assert.equal(outcome.code, 0, outcome.stderr);
	};
	await writeFile(join(folder, "moorage.yaml"), "version: 1\n");
	const start = async () => {
		const headers = { Authorization: `Bearer ${value.replace("FOLDER", folder)}` };
		const one = { url: remote.url, headers, start: "on-demand" };
		const config =
			identity === undefined
				? { servers: { one } }
				: { identity, servers: { one: { ...one, scope: "user" } } };
		const gateway = await startGateway(config, { folder, drain_ms: 100 });
		t.after(() => gateway.stop());
		return async (key?: string) => {
			const headers = { ...(key !== undefined && { authorization: `Bearer ${key}` }) };
			const params = '{"name":"whoami","arguments":{}}';
			const wire = new ModernWire(gateway.address("one"));
			const reply = await wire.ask({ method: "tools/call", params, headers });
			return reply.result?.content?.[0]?.text ?? reply.error?.message;
		};
	};
	return { folder, secret, start };
}

test("a secret that is exchanged reaches the next requests on the same connection", async (t) => {
	const remote = await startRemote(t);
	const { secret, start } = await house(t, remote, "${secret:token}");
	await secret(["set", "token"], "the-first-value");
	const call = await start();
	assert.equal(await call(), "Bearer the-first-value");
	const before = remote.handshakes();
	await secret(["rotate", "token"], "the-second-value");
	let said = await call();
	for (; said === "Bearer the-first-value"; said = await call());
	assert.equal(said, "Bearer the-second-value");
	assert.equal(remote.handshakes(), before);
});

test("a value that changed elsewhere is asked for anew once it is refused, and no call fails", async (t) => {
	const remote = await startRemote(t);
	const { folder, start } = await house(t, remote, "${file:FOLDER/token}");
	await writeFile(join(folder, "token"), "the-first-value\n");
	const call = await start();
	assert.equal(await call(), "Bearer the-first-value");
	const before = remote.handshakes();
	await writeFile(join(folder, "token"), "the-second-value\n");
	remote.good.add("Bearer the-second-value");
	const said = await Promise.all([call(), call(), call()]);
	assert.deepEqual(said, Array(3).fill("Bearer the-second-value"));
	assert.equal(remote.handshakes(), before);
	// One that is refused whatever is sent is told of, and not tried without end.
	remote.good.clear();
	remote.good.add("nobody's");
	assert.match(await call(), /401/);
});

test("each person's secret goes with their own calls", async (t) => {
	const remote = await startRemote(t);
	const people = ["ana", "bob"].map((user) => ({ user, key: newApiKey(systemRandom) }));
	const keys = people.map(({ user, key }) => ({
		...{ name: user, user, tenant: "acme" },
		hash: `sha256:${hashApiKey(key)}`,
	}));
	const { secret, start } = await house(t, remote, "${secret:token}", { keys });
	for (const { user } of people) {
		await secret(["set", "token", "--tenant", "acme", "--user", user], `the-value-of-${user}`);
	}
	const call = await start();
	for (const { user, key } of people) assert.equal(await call(key), `Bearer the-value-of-${user}`);
	await secret(["rotate", "token", "--tenant", "acme", "--user", "bob"], "another-of-bob");
	const [ana, bob] = people;
	while ((await call(bob?.key)) !== "Bearer another-of-bob");
	assert.equal(await call(ana?.key), "Bearer the-value-of-ana");
});
