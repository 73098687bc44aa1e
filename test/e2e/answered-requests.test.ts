import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import type { LoggedCall } from "../../src/admin/evidence-backend.ts";
import { hashApiKey, newApiKey } from "../../src/identity/api-keys.ts";
import { systemRandom } from "../../src/lib/random.ts";
import { adminDone } from "../support/admin-request.ts";
import { callLogLines } from "../support/call-log-lines.ts";
import { startGateway, stdioFixture, type TestGateway } from "../support/gateway.ts";
import { eventually } from "../support/processes.ts";
import {
	exchange,
	openStream,
	post_headers,
	type RawRequest,
	type RawStream,
} from "../support/raw-client.ts";
import { runCli } from "../support/run-cli.ts";

/** Every request has its line in the call log, also one that never became a call. */

const key = newApiKey(systemRandom);
const secret_part = "a-very-recognisable-payload";
const trace_id = "4bf92f3577b34da6a3ce929d0e0e4736";
const authorization = `Bearer ${key}`;
const known = { ...post_headers, authorization };
const modern = { ...known, "mcp-protocol-version": "2026-07-28" };

async function start(t: TestContext, config: object = {}): Promise<TestGateway> {
	const wrong = {
		hop: "clients",
		direction: "to-server",
		complaint: /^/u,
		why: "These clients get everything wrong; what they are told has to be right.",
	} as const;
	const keys = [
		{
			name: "laptop",
			hash: `sha256:${hashApiKey(key)}`,
			tenant: "acme",
			user: "ana",
			roles: ["member", "metrics"],
		},
	];
	const servers = { watched: { ...stdioFixture("watched"), sandbox: "off" } };
	const settings = { servers, identity: { keys }, ...config };
	const gateway = await startGateway(settings, { wrong: [wrong] });
	t.after(() => gateway.stop());
	return gateway;
}

/** What a line says of a request, in one sentence. */
function shown({ tenant_id, user, method, status, code, endpoint, request_id }: LoggedCall) {
	return [tenant_id === null ? "-" : `${tenant_id}/${user}`, endpoint, method, request_id, status]
		.concat(code ?? [])
		.join(" ");
}

/** The address that a stream of the old transport begins with, once it is there. */
async function firstEvent(stream: RawStream): Promise<RegExpExecArray> {
	const found = await eventually(
		() => Promise.resolve(/(\/\S*message\?sessionId=[\w-]+)/.exec(stream.texts())),
		(match) => match !== null,
	);
	return found as RegExpExecArray;
}

function body(method: string, params: object, id: unknown = 7): string {
	return JSON.stringify({ jsonrpc: "2.0", id, method, params: { ...params, x: secret_part } });
}

function envelope(method: string, params: object = {}, meta: object = {}): string {
	const _meta = {
		"io.modelcontextprotocol/protocolVersion": "2026-07-28",
		"io.modelcontextprotocol/clientInfo": { name: "tester", version: "1" },
		"io.modelcontextprotocol/clientCapabilities": {},
		...meta,
	};
	return body(method, { ...params, _meta });
}

const hello = {
	protocolVersion: "2025-11-25",
	capabilities: {},
	clientInfo: { name: "tester", version: "1" },
};

/** What is sent, and the line that it has. */
const refused: readonly (readonly [string, RawRequest, string])[] = [
	[
		"/watched/mcp",
		{ headers: { ...known, host: "evil.example" } },
		"- watched POST null client_error host_not_allowed",
	],
	[
		"/watched/mcp",
		{ headers: { ...known, origin: "https://evil.example" } },
		"- watched POST null client_error origin_not_allowed",
	],
	[
		"/watched/mcp",
		{ body: body("tools/list", {}) },
		"- watched POST null client_error credential_missing",
	],
	[
		"/watched/mcp",
		{ headers: { ...post_headers, authorization: "Bearer moorage_none" } },
		"- watched POST null client_error credential_unknown",
	],
	["/nothing/mcp", { headers: known }, "acme/ana nothing POST null client_error server_unknown"],
	[
		"/watched/mcp",
		{ method: "PUT", headers: known },
		"acme/ana watched PUT null client_error rpc_-32600",
	],
	[
		"/watched/mcp",
		{ headers: { ...known, "content-type": "text/plain" } },
		"acme/ana watched POST null client_error rpc_-32600",
	],
	[
		"/watched/mcp",
		{ headers: known, body: `{"${secret_part}` },
		"acme/ana watched POST null client_error rpc_-32700",
	],
	[
		"/watched/mcp",
		{ headers: known, body: `["${"x".repeat(70_000)}"]` },
		"acme/ana watched POST null client_error rpc_-32600",
	],
	[
		"/watched/mcp",
		{ headers: { ...known, "mcp-protocol-version": "1999-01-01" }, body: body("tools/list", {}) },
		"acme/ana watched tools/list 7 client_error rpc_-32600",
	],
	[
		"/watched/mcp",
		{ headers: { ...known, "mcp-session-id": "gone" }, body: body("tools/list", {}) },
		"acme/ana watched tools/list 7 client_error rpc_-32600",
	],
	[
		"/watched/mcp",
		{ headers: known, body: body("server/discover", {}) },
		"acme/ana watched server/discover 7 client_error rpc_-32601",
	],
	[
		"/watched/mcp",
		{
			headers: { ...known, "mcp-protocol-version": "2025-11-25" },
			body: `[${body("tools/list", {})}]`,
		},
		"acme/ana watched POST null client_error rpc_-32600",
	],
	[
		"/watched/mcp",
		{ method: "DELETE", headers: known },
		"acme/ana watched DELETE null client_error rpc_-32600",
	],
	[
		"/watched/mcp",
		{ method: "GET", headers: known },
		"acme/ana watched GET null client_error rpc_-32600",
	],
	[
		"/watched/mcp",
		{ method: "GET", headers: modern },
		"acme/ana watched GET null client_error rpc_-32600",
	],
	[
		"/watched/mcp",
		{ headers: known, body: body("initialize", {}) },
		"acme/ana watched initialize 7 client_error rpc_-32602",
	],
	[
		"/watched/mcp",
		{ headers: modern, body: body("tools/list", {}) },
		"acme/ana watched tools/list 7 client_error rpc_-32602",
	],
	[
		"/watched/mcp",
		{ headers: { ...modern, "mcp-method": "other" }, body: envelope("tools/list") },
		"acme/ana watched tools/list 7 client_error rpc_-32020",
	],
	[
		"/watched/mcp",
		{ headers: { ...modern, "mcp-method": "ping" }, body: envelope("ping") },
		"acme/ana watched ping 7 client_error rpc_-32601",
	],
	[
		"/watched/mcp",
		{
			headers: { ...modern, "mcp-method": "subscriptions/listen" },
			body: envelope("subscriptions/listen"),
		},
		"acme/ana watched subscriptions/listen 7 client_error rpc_-32602",
	],
	[
		"/watched/message",
		{ headers: known, body: body("tools/list", {}) },
		"acme/ana watched POST null client_error sse_refused",
	],
	["/watched/sse", { headers: known }, "acme/ana watched POST null client_error sse_refused"],
];

/** Methods whose refusal is a call like any other: they are counted and audited too. */
const recorded: readonly string[] = ["initialize", "subscriptions/listen"];

test("every refusal has its line, without a payload, and is in no other evidence", async (t) => {
	const gateway = await start(t, { limits: { body: "64KiB" } });
	const traceparent = `00-${trace_id}-00f067aa0ba902b7-01`;
	for (const [path, request] of refused) {
		const headers = { ...post_headers, ...request.headers, traceparent };
		await exchange(new URL(path, gateway.url), { ...request, headers });
	}
	const { data } = gateway.daemon.plan;
	const scrape = await fetch(`${gateway.url}/metrics`, { headers: { authorization } });
	const counted = [
		...(await scrape.text()).matchAll(/^moorage_calls_total\{.*method="(.*?)".*_error"} 1$/gm),
	].map(([, method]) => method);
	await gateway.daemon.stop();
	const lines = callLogLines(gateway.folder);
	const wanted = refused.map(([, , line]) => line);
	assert.deepEqual(lines.map(shown), wanted);
	for (const line of lines) assert.equal(line.trace_id, trace_id, shown(line));
	const names = readdirSync(data, { recursive: true }).map(String);
	for (const name of names.filter((one) => /^(calls|audit)\/.*\w\.\w/.test(one))) {
		const text = readFileSync(join(data, name), "latin1");
		assert.ok(!text.includes(secret_part) && !text.includes(key), name);
	}
	const audit = readFileSync(join(data, "audit", "000000000001.log"), "utf8");
	for (const { id, method, code } of lines) {
		const is_call = recorded.includes(method) && code === "rpc_-32602";
		assert.equal(audit.includes(id), is_call, method);
	}
	assert.deepEqual(counted.toSorted(), recorded);
});

test("what an edge answers itself has its line: sessions, streams and subscriptions", async (t) => {
	const gateway = await start(t);
	const address = gateway.address("watched");
	const legacy = { ...known, "mcp-protocol-version": "2025-11-25" };
	const opened = await exchange(address, { headers: known, body: body("initialize", hello) });
	const session_id = String(opened.headers["mcp-session-id"]);
	const own = { ...legacy, "mcp-session-id": session_id };
	const ask = (method: string, params: object, id: unknown) =>
		exchange(address, { headers: own, body: body(method, params, id) });
	await ask("resources/subscribe", { uri: "counter://value" }, 1);
	await ask("resources/unsubscribe", { uri: "counter://value" }, 2);
	await ask("resources/subscribe", {}, 3);
	await ask("ping", {}, "four");
	const pushes = await openStream(address, { method: "GET", headers: own });
	await exchange(address, { method: "DELETE", headers: own });
	await pushes.ended;
	const listening = await openStream(address, {
		headers: { ...modern, "mcp-method": "subscriptions/listen" },
		body: envelope("subscriptions/listen", { notifications: { toolsListChanged: true } }),
	});
	await listening.until(({ method }) => method !== undefined);
	const link = await openStream(new URL("/watched/sse", gateway.url), {
		method: "GET",
		headers: { accept: "text/event-stream", authorization },
	});
	const [, posting = ""] = await firstEvent(link);
	link.forget();
	const at = new URL(posting, gateway.url);
	await exchange(at, { headers: known, body: body("initialize", hello, "old") });
	await link.until(({ id }) => id === "old");
	await exchange(at, { headers: known, body: body("initialize", hello, "again") });
	await link.until(({ id }) => id === "again");
	link.close();
	await gateway.daemon.stop();
	const lines = callLogLines(gateway.folder);
	assert.deepEqual(lines.map(shown), [
		"acme/ana watched initialize 7 ok",
		"acme/ana watched resources/subscribe 1 ok",
		"acme/ana watched resources/unsubscribe 2 ok",
		"acme/ana watched resources/subscribe 3 client_error rpc_-32602",
		'acme/ana watched ping "four" ok',
		"acme/ana watched GET null ok",
		"acme/ana watched DELETE null ok",
		"acme/ana watched subscriptions/listen 7 ok",
		"acme/ana watched GET null ok",
		'acme/ana watched initialize "old" ok',
		'acme/ana watched initialize "again" client_error rpc_-32600',
	]);
	const [first, ...rest] = lines;
	assert.deepEqual([first?.client_name, first?.client_id], ["tester", "key:laptop"]);
	for (const line of [first, ...rest.slice(0, 6)]) {
		assert.equal(line?.session_id, session_id, line && shown(line));
	}
});

test("what is refused to somebody who is known says who it was", async (t) => {
	const servers = { slow: { ...stdioFixture("slow"), sandbox: "off" } };
	const gateway = await start(t, { servers, sse: "off", limits: { requests_in_flight: 1 } });
	const address = gateway.address("slow");
	await exchange(new URL("/slow/sse", gateway.url), { method: "GET", headers: known });
	const hold = { name: "hold", arguments: { key: "k" } };
	const held = await openStream(address, {
		headers: { ...modern, "mcp-method": "tools/call", "mcp-name": "hold" },
		body: envelope("tools/call", hold, { progressToken: 1 }),
	});
	await held.until(({ method }) => method === "notifications/progress");
	await exchange(address, { headers: known, body: body("tools/list", {}) });
	const kill = { kind: "user", name: "acme/ana", reason: "A test." };
	await adminDone(gateway, "POST", "/api/kill-switches", kill);
	await held.ended;
	await exchange(address, { headers: known, body: body("tools/list", {}) });
	const data = ["--data", gateway.daemon.plan.data];
	const world = { cwd: gateway.folder };
	const listed = await runCli(["calls", "--status", "client_error", ...data], world);
	assert.match(listed.stdout, / acme\/ana +POST +client_error \(switched_off\) /);
	assert.match(listed.stdout, / - +GET +client_error \(not_found\) /);
	await gateway.daemon.stop();
	const lines = callLogLines(gateway.folder).map(shown);
	const wanted = [
		"- slow GET null client_error not_found",
		"acme/ana slow POST null server_error overloaded",
		"acme/ana slow POST null client_error switched_off",
	];
	for (const line of wanted) assert.ok(lines.includes(line), `${line} in ${lines.join("; ")}`);
});

test("refusals without an end become lines that count them", async (t) => {
	const gateway = await start(t);
	const flood = 400;
	const at_once = 50;
	const send = (name: string) =>
		exchange(new URL(`/${name}/mcp`, gateway.url), { body: body("tools/list", {}) });
	// Under names that are made up, and at one address; many at once, because one a second is let be.
	const each = Array.from({ length: flood }, (_, n) => (n % 2 === 0 ? `made-up-${n}` : "watched"));
	for (let n = 0; n < flood; n += at_once) await Promise.all(each.slice(n, n + at_once).map(send));
	await gateway.daemon.stop();
	const lines = callLogLines(gateway.folder);
	const sum = (all: readonly LoggedCall[]) => all.reduce((total, one) => total + one.requests, 0);
	assert.equal(sum(lines), flood);
	assert.equal(sum(lines.filter(({ endpoint }) => endpoint === "watched")), flood / 2);
	const many = lines.filter(({ requests }) => requests > 1);
	assert.ok(many.length >= 2, String(many.length));
	assert.ok(lines.length < flood, String(lines.length));
	for (const { method, code, user, error } of many) {
		assert.deepEqual([method, code, user], ["*", "credential_missing", null]);
		assert.ok(error !== null);
	}
});
