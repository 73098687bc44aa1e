import assert from "node:assert/strict";
import type { IncomingHttpHeaders } from "node:http";
import { after, before, test } from "node:test";
import { startGateway, stdioFixture, type TestGateway } from "../support/gateway.ts";
import { exchange, openStream, post_headers } from "../support/raw-client.ts";

const friend = "https://app.example.com:8443";
const strangers = [
	"https://evil.example.com",
	"http://app.example.com:8443",
	"https://app.example.com",
	"https://app.example.com:84430",
	"https://app.example.com.evil.example:8443",
	"null",
];
const forms = ["/mcp", "/echo/mcp", "/echo/sse", "/echo/message?sessionId=1"];

let gateway: TestGateway;

before(async () => {
	const servers = { echo: stdioFixture("echo"), progress: stdioFixture("progress") };
	gateway = await startGateway(
		{
			servers,
			allowed_origins: [friend],
			limits: { requests_in_flight: 1 },
		},
		{
			wrong: [
				{
					hop: "clients",
					direction: "to-server",
					complaint: /^not JSON$/u,
					text: /^\{$/u,
					why: "An answer to a body that is no message can be read by its page as well.",
				},
			],
		},
	);
});

after(() => gateway?.stop());

/** Sends what a browser sends before a request that a page of the origin wants to make. */
function preflight(origin: string, path: string, method: string, asked: string) {
	return exchange(new URL(path, gateway.url), {
		method: "OPTIONS",
		headers: {
			origin,
			"access-control-request-method": method,
			...(asked === "" ? {} : { "access-control-request-headers": asked }),
		},
	});
}

function listOf(header: string | undefined): string[] {
	return (header ?? "").split(",").map((name) => name.trim().toLowerCase());
}

/** No answer may open itself to everybody, or to a browser's cookies. */
function assertNarrow(headers: IncomingHttpHeaders): void {
	for (const [name, value] of Object.entries(headers)) {
		if (!name.startsWith("access-control-")) continue;
		assert.ok(!String(value).includes("*"), `${name}: ${value}`);
		assert.notEqual(name, "access-control-allow-credentials");
	}
}

for (const name of [
	"Authorization",
	"Content-Type",
	"Accept",
	"Last-Event-ID",
	"MCP-Protocol-Version",
	"Mcp-Session-Id",
	"Mcp-Method",
	"Mcp-Name",
	"Mcp-Param-Region",
	"Mcp-Param-Some-Other",
]) {
	test(`a preflight that asks for ${name} is granted that header and no other`, async () => {
		for (const path of forms) {
			const { status, headers, body } = await preflight(friend, path, "POST", name);
			assert.equal(status, 204);
			assert.equal(body.length, 0);
			assert.equal(headers["access-control-allow-origin"], friend);
			assert.deepEqual(listOf(headers["access-control-allow-headers"]), [name.toLowerCase()]);
			assert.ok(listOf(headers["vary"]).includes("origin"));
			assert.ok(listOf(headers["vary"]).includes("access-control-request-headers"));
			assertNarrow(headers);
		}
	});
}

test("a preflight is told of the three methods there are", async () => {
	for (const method of ["POST", "GET", "DELETE"]) {
		const { headers } = await preflight(friend, "/mcp", method, "");
		const methods = listOf(headers["access-control-allow-methods"]);
		assert.deepEqual(methods.toSorted(), ["delete", "get", "post"]);
		assert.equal(headers["access-control-allow-headers"], undefined);
	}
});

test("headers that are not the protocol's are not granted", async () => {
	for (const name of ["X-Evil", "Cookie", "*", "Mcp-Param-", "Mcp-Parameter-X", "Mcp-Name-X"]) {
		const { headers } = await preflight(friend, "/mcp", "POST", `${name}, Accept`);
		assert.deepEqual(listOf(headers["access-control-allow-headers"]), ["accept"]);
		assertNarrow(headers);
	}
});

test("an origin that is not allowed is refused, whatever it asks and sends along", async () => {
	for (const origin of strangers) {
		const asked = await preflight(origin, "/mcp", "POST", "content-type, mcp-session-id");
		const posted = await exchange(gateway.address(), {
			headers: { ...post_headers, origin, cookie: "a=b", authorization: "Bearer x" },
			body: '{"jsonrpc":"2.0","id":1,"method":"ping"}',
		});
		for (const { status, headers, body } of [asked, posted]) {
			assert.equal(status, 403);
			assert.equal(JSON.parse(String(body)).error.data.code, "origin_not_allowed");
			const opened = Object.keys(headers).filter((name) => name.startsWith("access-control-"));
			assert.deepEqual(opened, []);
		}
	}
});

test("only the addresses of MCP are open to other origins", async () => {
	for (const path of ["/api/servers", "/healthz", "/oauth/callback", "/"]) {
		const asked = await preflight(friend, path, "GET", "authorization");
		const read = await exchange(new URL(path, gateway.url), {
			method: "GET",
			headers: { origin: friend },
		});
		for (const { headers } of [asked, read]) {
			const opened = Object.keys(headers).filter((name) => name.startsWith("access-control-"));
			assert.deepEqual(opened, [], path);
		}
	}
});

test("every kind of answer can be read by the origin, with its four headers", async () => {
	const ping = '{"jsonrpc":"2.0","id":1,"method":"ping"}';
	const answers: [number, string, Parameters<typeof exchange>[1]][] = [
		[200, "/echo/mcp", { headers: post_headers, body: ping }],
		[400, "/echo/mcp", { headers: post_headers, body: "{" }],
		[404, "/nobody/mcp", { headers: post_headers, body: ping }],
		[404, "/echo/mcp", { headers: { ...post_headers, "mcp-session-id": "x" }, body: ping }],
		[404, "/echo/message?sessionId=1", { headers: post_headers, body: ping }],
		[405, "/echo/mcp", { method: "PUT", headers: post_headers }],
		[406, "/echo/mcp", { headers: { ...post_headers, accept: "text/html" }, body: ping }],
		[415, "/echo/mcp", { headers: { ...post_headers, "content-type": "text/plain" }, body: ping }],
	];
	for (const [expected, path, request] of answers) {
		const { status, headers } = await exchange(new URL(path, gateway.url), {
			...request,
			headers: { ...request.headers, origin: friend },
		});
		assert.equal(status, expected, path);
		assertReadable(headers);
	}
});

test("a page that comes when too much is going on can read when to come again", async () => {
	const headers = {
		...post_headers,
		origin: friend,
		"mcp-protocol-version": "2026-07-28",
		"mcp-method": "tools/call",
		"mcp-name": "chatter",
	};
	const _meta = {
		"io.modelcontextprotocol/protocolVersion": "2026-07-28",
		"io.modelcontextprotocol/clientCapabilities": {},
		progressToken: 1,
	};
	const params = { name: "chatter", arguments: {}, _meta };
	const body = JSON.stringify({ jsonrpc: "2.0", id: 1, method: "tools/call", params });
	const stream = await openStream(gateway.address("progress"), { headers, body });
	assertReadable(stream.headers);
	const refused = await exchange(gateway.address("progress"), { headers, body });
	assert.equal(refused.status, 503);
	assert.equal(refused.headers["retry-after"], "1");
	assertReadable(refused.headers);
	stream.close();
});

function assertReadable(headers: IncomingHttpHeaders): void {
	assert.equal(headers["access-control-allow-origin"], friend);
	assert.deepEqual(listOf(headers["access-control-expose-headers"]).toSorted(), [
		"dpop-nonce",
		"mcp-protocol-version",
		"mcp-session-id",
		"retry-after",
		"www-authenticate",
	]);
	assert.ok(listOf(headers["vary"]).includes("origin"));
	assertNarrow(headers);
}
