import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import fc from "fast-check";
import { type Operation, operations } from "../../src/admin/operations.ts";
import { type Route, routeOf } from "../../src/gateway/routes.ts";
import { hashApiKey, newApiKey } from "../../src/identity/api-keys.ts";
import { systemRandom } from "../../src/lib/random.ts";
import { startGateway, stdioFixture, type TestGateway } from "../support/gateway.ts";
import { exchange } from "../support/raw-client.ts";

/*
 * Every address that answers, and what it says to nobody and to somebody without a role. What is
 * not in this list does not answer.
 */

/** Who may call an address. */
interface Row {
	readonly method: string;
	readonly path: string;
	readonly who: string;
	/** The status for a request without any credential. */
	readonly nobody: number | readonly number[];
	/** The status for a person without a role; undefined where that is not looked at here. */
	readonly member?: number;
}

const key_holders = "whoever has a credential";

const inventory: Readonly<Record<Exclude<Route["kind"], "admin" | "none">, readonly Row[]>> = {
	endpoint: [
		{ method: "POST", path: "/mcp", who: key_holders, nobody: 401 },
		{ method: "GET", path: "/mcp", who: key_holders, nobody: 401 },
		{ method: "DELETE", path: "/mcp", who: key_holders, nobody: 401 },
		{ method: "PUT", path: "/mcp", who: key_holders, nobody: 401, member: 405 },
		{ method: "POST", path: "/lazy/mcp", who: key_holders, nobody: 401 },
		{ method: "POST", path: "/nothing/mcp", who: key_holders, nobody: 401, member: 404 },
		{ method: "GET", path: "/lazy/sse", who: key_holders, nobody: 401 },
		{ method: "POST", path: "/lazy/message", who: key_holders, nobody: 401 },
	],
	resource: [
		{ method: "GET", path: "/.well-known/oauth-protected-resource", who: "everybody", nobody: 200 },
		{
			method: "GET",
			path: "/.well-known/oauth-protected-resource/mcp",
			who: "everybody",
			nobody: 200,
		},
		{
			method: "GET",
			path: "/.well-known/oauth-protected-resource/x/mcp",
			who: "everybody",
			nobody: 200,
		},
	],
	login: [
		{
			method: "GET",
			path: "/.well-known/oauth-authorization-server",
			who: "everybody",
			nobody: 404,
		},
		{ method: "GET", path: "/.well-known/openid-configuration", who: "everybody", nobody: 404 },
		{ method: "GET", path: "/oauth/authorize", who: "everybody, once it is on", nobody: 404 },
		{ method: "POST", path: "/oauth/token", who: "everybody, once it is on", nobody: 404 },
	],
	sign_in: [
		{ method: "GET", path: "/sign-in", who: "everybody", nobody: 200 },
		{ method: "POST", path: "/sign-in", who: "our own form alone", nobody: 400, member: 400 },
		{ method: "GET", path: "/sign-in/with/nowhere", who: "everybody", nobody: 502 },
		{ method: "GET", path: "/sign-in/callback", who: "the browser that began", nobody: 403 },
		{ method: "GET", path: "/sign-in/done", who: "everybody", nobody: 200 },
		{ method: "POST", path: "/sign-in/out", who: "whoever is signed in", nobody: 303 },
		{ method: "GET", path: "/sign-in/other", who: "nobody", nobody: 404, member: 404 },
	],
	approvals: [
		{ method: "GET", path: "/approvals/appr_x", who: "whoever signs in there", nobody: 401 },
		{
			method: "POST",
			path: "/approvals/webhooks/chat",
			who: "receivers of webhooks, with a signature",
			nobody: 401,
			member: 401,
		},
		{ method: "GET", path: "/approvals/webhooks/chat", who: "nobody", nobody: 405, member: 405 },
	],
	consent: [
		{
			method: "GET",
			path: "/oauth/callback",
			who: "whoever has a state, in the browser that began",
			nobody: 404,
		},
		{ method: "GET", path: "/oauth/connect/lazy", who: "whoever signs in there", nobody: 401 },
		{ method: "POST", path: "/oauth/connect/lazy", who: "whoever signs in there", nobody: 400 },
		{ method: "GET", path: "/oauth/connect", who: "whoever signs in there", nobody: 401 },
		{ method: "POST", path: "/oauth/connect", who: "whoever signs in there", nobody: 400 },
		{ method: "GET", path: "/oauth/connect/", who: "nobody", nobody: 404 },
	],
	metrics: [{ method: "GET", path: "/metrics", who: "operators and auditors", nobody: 401 }],
	health: [
		{ method: "GET", path: "/healthz", who: "everybody", nobody: 200 },
		{ method: "GET", path: "/readyz", who: "everybody", nobody: 200 },
	],
	dashboard: [
		{ method: "GET", path: "/", who: "everybody: it is a page without data", nobody: [200, 503] },
	],
};

let gateway: TestGateway;
const key = newApiKey(systemRandom);
const member = { authorization: `Bearer ${key}` };
const json = { "content-type": "application/json", accept: "application/json, text/event-stream" };

before(async () => {
	gateway = await startGateway(
		{
			identity: {
				issuer: "http://127.0.0.1:1",
				shared_tenants: ["default"],
				keys: [{ name: "member", hash: `sha256:${hashApiKey(key)}` }],
			},
			servers: { lazy: { ...stdioFixture("echo"), start: "on-demand" } },
		},
		{
			wrong: [
				{
					hop: "clients",
					direction: "to-client",
					complaint: /JSONRPC/u,
					why: "Where there is no MCP address there is nobody who speaks the protocol.",
				},
			],
		},
	);
});

after(() => gateway?.stop());

/** Asks an address, and tells the status alone. */
async function statusOf(method: string, path: string, headers: Record<string, string> = {}) {
	const body = method === "POST" ? '{"jsonrpc":"2.0","id":1,"method":"ping"}' : "";
	const { status } = await exchange(new URL(gateway.url), {
		method,
		path,
		headers: { ...json, ...headers },
		body,
	});
	return status;
}

for (const [kind, rows] of Object.entries(inventory)) {
	for (const { method, path, who, nobody, member: expected } of rows) {
		test(`${method} ${path} is for ${who}`, async () => {
			assert.equal(routeOf(path).kind, kind);
			assert.ok([nobody].flat().includes(await statusOf(method, path)), path);
			if (expected !== undefined) assert.equal(await statusOf(method, path, member), expected);
		});
	}
}

for (const [id, operation] of Object.entries<Operation>(operations)) {
	const { method, path, roles, open } = operation;
	const target = path.replace(/\{\w+\}/g, "lazy");
	const who = open === true ? "everybody" : `admin ${roles.join(" ")}`.trim();
	test(`${id}, ${method} ${path}, is for ${who}`, async () => {
		assert.equal(routeOf(target).kind, "admin");
		if (open === true) return;
		assert.equal(await statusOf(method, target), 401);
		assert.equal(await statusOf(method, target, { authorization: "Bearer wrong" }), 401);
		if (!roles.includes("member")) assert.equal(await statusOf(method, target, member), 403);
	});
}

const unlisted = [
	"/MCP",
	"/mcp/x",
	"//mcp",
	"/%6dcp",
	"/mcp%00",
	"/mcp;x",
	"/a/b/mcp",
	"/.env",
	"/moorage.db",
	"/.moorage/admin-token",
	"/..%2fmoorage.yaml",
	"/../moorage.yaml",
	"/apix",
	"/healthz/",
	"/metrics/x",
	"/.well-known/other",
	"/.well-known/oauth-protected-resourcex",
	"/servers",
	"/admin",
	"/debug/pprof",
];

test("what is not listed does not answer, whoever asks", async () => {
	for (const path of unlisted) {
		for (const headers of [{}, member]) {
			for (const method of ["GET", "POST"]) {
				assert.equal(await statusOf(method, path, headers), 404, `${method} ${path}`);
			}
		}
	}
	for (const path of ["/api/other", "/api/", "/api/servers/lazy/other"]) {
		assert.ok([401, 404].includes(await statusOf("GET", path)), path);
		assert.ok([403, 404].includes(await statusOf("GET", path, member)), path);
	}
});

test("every path is one of the kinds in this list", () => {
	const kinds = [...Object.keys(inventory), "admin", "none"];
	fc.assert(
		fc.property(fc.webPath(), fc.string(), (path, text) => {
			assert.ok(kinds.includes(routeOf(path).kind));
			assert.ok(kinds.includes(routeOf(`/${text}`).kind));
		}),
	);
});

test("nothing of all this has started a process", () => {
	const { servers } = gateway.daemon.overview();
	assert.deepEqual(
		servers.map(({ name, state }) => [name, state]),
		[["lazy", "stopped"]],
	);
});
