import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { readFile } from "node:fs/promises";
import { after, before, test } from "node:test";
import { doctor_schema, problem_schema, type ServerEntry } from "../../src/admin/contract.ts";
import { type Operation, type OperationId, operations } from "../../src/admin/operations.ts";
import { startGateway, stdioFixture, type TestGateway } from "../support/gateway.ts";

let gateway: TestGateway;
let token: string;

before(async () => {
	gateway = await startGateway({
		servers: {
			counter: server("stateful"),
			echo: server("echo"),
			missing: { command: "no-such-program-anywhere" },
		},
	});
	token = (await readFile(gateway.daemon.admin_token_path, "utf8")).trim();
});

after(() => gateway.stop());

/** A server of moorage.yaml, where a command is a list. */
function server(name: string): object {
	const { command, args } = stdioFixture(name);
	return { command: [command, ...args] };
}

function send(method: string, path: string, body?: object, bearer = token): Promise<Response> {
	return fetch(gateway.url + path, {
		method,
		headers: {
			authorization: `Bearer ${bearer}`,
			...(body === undefined ? {} : { "content-type": "application/json" }),
		},
		...(body === undefined ? {} : { body: JSON.stringify(body) }),
	});
}

/** Performs an operation and checks its reply against the contract. */
async function perform(id: OperationId, path: string, body?: object): Promise<unknown> {
	const operation: Operation = operations[id];
	const response = await send(operation.method, path, body);
	const value: unknown = await response.json();
	assert.equal(response.status, operation.reply_status, JSON.stringify(value));
	operation.reply?.parse(value);
	return value;
}

const reads = [
	["getStatus", "/api/status"],
	["listServers", "/api/servers"],
	["getServer", "/api/servers/counter"],
	["getServer", "/api/servers/missing"],
	["getLogs", "/api/servers/missing/logs"],
	["listTools", "/api/servers/counter/tools"],
	["listResources", "/api/servers/counter/resources"],
	["listPrompts", "/api/servers/counter/prompts"],
	["listEndpoints", "/api/endpoints"],
	["getDoctor", "/api/doctor"],
] as const;

for (const [id, path] of reads) {
	test(`${path} of a real gateway is what the contract says`, async () => {
		await perform(id, path);
	});
}

test("the document of the API is served, to those with the token", async () => {
	const document = (await perform("getOpenApi", "/api/openapi.json")) as { paths: object };
	assert.ok(Object.keys(document.paths).length > 10);
});

test("nothing under /api answers without the token, on loopback too", async () => {
	for (const [, path] of reads) {
		assert.equal((await fetch(gateway.url + path)).status, 401, path);
		assert.equal((await send("GET", path, undefined, `${token}x`)).status, 401, path);
	}
	const path = "/api/servers/echo/tools/echo/call";
	assert.equal((await fetch(gateway.url + path, { method: "POST" })).status, 401);
	// MCP addresses are open on loopback, so the token is nothing to send there.
	const mcp = await fetch(`${gateway.url}/mcp`, { method: "OPTIONS" });
	assert.notEqual(mcp.status, 401);
});

test("a page of another origin gets nothing, with the token or without", async () => {
	for (const headers of [{}, { authorization: `Bearer ${token}` }]) {
		const response = await fetch(`${gateway.url}/api/status`, {
			headers: { ...headers, origin: "https://evil.example" },
		});
		assert.ok(response.status === 401 || response.status === 403);
		assert.equal(response.headers.get("access-control-allow-origin"), null);
	}
});

test("a tool is called with JSON in and its own result out", async () => {
	const path = "/api/servers/echo/tools/echo/call";
	const result = await perform("callTool", path, { text: "é 😀" });
	assert.deepEqual((result as { content: unknown }).content, [{ type: "text", text: "é 😀" }]);
});

test("what goes wrong with a call is a problem with a code, and with what to do", async () => {
	const cases = [
		["/api/servers/no/tools/a/call", 404, "server_unknown"],
		["/api/servers/echo/tools/no/call", 400, "rpc_error"],
		["/api/servers/missing/tools/a/call", 502, "command_missing"],
	] as const;
	for (const [path, status, code] of cases) {
		const response = await send("POST", path, {});
		const problem = problem_schema.parse(await response.json());
		assert.deepEqual([response.status, problem.code], [status, code], JSON.stringify(problem));
		assert.ok(problem.next.length > 0);
	}
});

test("a call can be made with curl", async (context) => {
	const url = `${gateway.url}/api/servers/echo/tools/echo/call`;
	const words = ["-sS", "--json", '{"text":"from curl"}', "-H", `authorization: Bearer ${token}`];
	const child = spawn("curl", [...words, url]);
	const missing = await new Promise<boolean>((resolve) => {
		child.once("spawn", () => resolve(false));
		child.once("error", () => resolve(true));
	});
	if (missing) {
		context.skip("there is no curl on this machine");
		return;
	}
	const text = Buffer.concat(await child.stdout.toArray()).toString();
	assert.deepEqual((JSON.parse(text) as { content: unknown }).content, [
		{ type: "text", text: "from curl" },
	]);
});

test("a server is added, listed, restarted, followed and removed", async () => {
	const entry: ServerEntry = stdioFixture("stateful");
	await perform("addServer", "/api/servers", { name: "second", entry });
	const taken = await send("POST", "/api/servers", { name: "second", entry });
	assert.equal(taken.status, 409);
	const refused = await send("POST", "/api/servers", { name: "a__b", entry });
	const problem = problem_schema.parse(await refused.json());
	assert.deepEqual([refused.status, problem.code], [422, "config_refused"]);
	assert.equal(problem.config?.length, 1);

	const call = "/api/servers/second/tools/increment/call";
	const first = await perform("callTool", call, {});
	assert.deepEqual((first as { content: unknown }).content, [{ type: "text", text: "1" }]);
	const followed = await send("GET", "/api/servers/second/logs?follow=1");
	const reader = (followed.body as ReadableStream<Uint8Array>).getReader();
	await perform("restartServer", "/api/servers/second/restart");
	let seen = "";
	while (!seen.includes("event: line")) {
		const { value, done } = await reader.read();
		assert.ok(!done);
		seen += Buffer.from(value).toString();
	}
	await reader.cancel();
	const again = await perform("callTool", call, {});
	assert.deepEqual((again as { content: unknown }).content, [{ type: "text", text: "1" }]);
	await perform("removeServer", "/api/servers/second");
	assert.equal((await send("GET", "/api/servers/second")).status, 404);
	assert.equal((await send("DELETE", "/api/servers/second")).status, 404);
});

test("a reload answers with what changed", async () => {
	const reloaded = await perform("reload", "/api/reload");
	assert.deepEqual(reloaded, { added: [], removed: [], changed: [], settings: [], warnings: [] });
});

test("the doctor of the API sees the gateway's own machine", async () => {
	const { checks } = doctor_schema.parse(await perform("getDoctor", "/api/doctor"));
	assert.ok(checks.some(({ name, status }) => name === "node" && status === "ok"));
});
