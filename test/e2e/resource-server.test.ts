import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import {
	Client as ClientV2,
	StreamableHTTPClientTransport as HttpV2,
	ClientCredentialsProvider as ProviderV2,
} from "@modelcontextprotocol/client";
import { ClientCredentialsProvider as ProviderV1 } from "@modelcontextprotocol/sdk/client/auth-extensions.js";
import { Client as ClientV1 } from "@modelcontextprotocol/sdk/client/index.js";
import { StreamableHTTPClientTransport as HttpV1 } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import { hashApiKey, newApiKey } from "../../src/identity/api-keys.ts";
import { systemClock } from "../../src/lib/clock.ts";
import { systemRandom } from "../../src/lib/random.ts";
import { startGateway, stdioFixture, type TestGateway } from "../support/gateway.ts";
import { type IdentityProvider, startIdentityProvider } from "../support/identity-provider.ts";
import { exchange } from "../support/raw-client.ts";
import { recordingServer } from "../support/recording-server.ts";
import {
	boundTo,
	proofOf,
	signingKey,
	startTokenIssuer,
	type TokenIssuer,
} from "../support/token-issuer.ts";
import { until } from "../support/until.ts";

/*
 * The gateway as an OAuth resource server. The tokens are those of an identity provider in a
 * process of its own; where one has to be wrong in a certain way, of an issuer of the tests.
 */

let provider: IdentityProvider;
let forge: TokenIssuer;
let gateway: TestGateway;
let offset_ms = 0;
const key = newApiKey(systemRandom);

before(async () => {
	[provider, forge] = await Promise.all([startIdentityProvider(), startTokenIssuer()]);
	const clock = { ...systemClock, monotonic: () => systemClock.monotonic() + offset_ms };
	gateway = await startGateway(
		{
			identity: {
				scopes: ["mcp"],
				issuers: [
					{ issuer: provider.issuer, tenant: "corp", claims: { roles: "groups" } },
					{ issuer: forge.issuer, tenant: "forge" },
				],
				keys: [{ name: "ci", hash: `sha256:${hashApiKey(key)}`, scopes: ["mcp"] }],
			},
			servers: { echo: stdioFixture("sdk-v1-stdio"), other: stdioFixture("sdk-v1-stdio") },
			allowed_origins: ["https://app.example.com"],
		},
		{ clock },
	);
});

after(async () => {
	await gateway?.stop();
	await Promise.all([provider?.stop(), forge?.close()]);
});

const resource = (name = "echo") => gateway.address(name).href;
const initialize = JSON.stringify({
	jsonrpc: "2.0",
	id: 1,
	method: "initialize",
	params: {
		protocolVersion: "2025-11-25",
		capabilities: {},
		clientInfo: { name: "resource-server-test", version: "1" },
	},
});

const post_headers = {
	"content-type": "application/json",
	accept: "application/json, text/event-stream",
};

/** Posts a handshake, and tells how it was answered. */
async function post(headers: Record<string, string>, url: string | URL = resource()) {
	const response = await fetch(url, {
		method: "POST",
		headers: { ...post_headers, ...headers },
		body: initialize,
	});
	const text = await response.text();
	const { error } = JSON.parse(text.replace(/^.*data: /s, "")) as {
		error?: { message: string; data?: { code: string; error_id?: string } };
	};
	return {
		status: response.status,
		challenge: response.headers.get("www-authenticate"),
		code: error?.data?.code,
		error_id: error?.data?.error_id,
		session: response.headers.get("mcp-session-id") ?? "",
		text,
	};
}

const bearer = (token: string) => ({ authorization: `Bearer ${token}` });
const metadataOf = (path: string) => `${gateway.url}/.well-known/oauth-protected-resource${path}`;

test("who has no token is told where to get one, and which scopes it needs", async () => {
	for (const [name, path] of [
		["mcp", "/mcp"],
		["echo", "/echo/mcp"],
		["no-such-server", "/no-such-server/mcp"],
	] as const) {
		const { status, challenge, code } = await post({}, resource(name));
		assert.equal(status, 401);
		assert.equal(code, "credential_missing");
		assert.equal(challenge, `Bearer resource_metadata="${metadataOf(path)}", scope="mcp"`);
	}
	const { status, challenge } = await post(
		{},
		`${gateway.url}/echo/mcp?access_token=${"a".repeat(40)}`,
	);
	assert.equal(status, 401, "a token in the address is none");
	assert.doesNotMatch(challenge ?? "", /error/);
});

test("the metadata of every address names it and its issuers, with or without a server", async () => {
	for (const path of ["/mcp", "/echo/mcp", "/echo/sse", "/no-such-server/mcp", ""]) {
		const response = await fetch(metadataOf(path));
		assert.equal(response.status, 200, path);
		assert.match(response.headers.get("content-type") ?? "", /^application\/json/);
		const document = (await response.json()) as Record<string, unknown>;
		assert.equal(document["resource"], gateway.url + path);
		assert.deepEqual(document["authorization_servers"], [provider.issuer, forge.issuer]);
		assert.deepEqual(document["bearer_methods_supported"], ["header"]);
		assert.deepEqual(document["scopes_supported"], ["mcp"]);
	}
	for (const path of [
		"/",
		"x",
		"/echo",
		"/a/b/mcp",
		"/echo/mcp/x",
		"/../mcp",
		"//mcp",
		"/%2e/mcp",
	]) {
		const { status } = await exchange(new URL(gateway.url), {
			method: "GET",
			path: `/.well-known/oauth-protected-resource${path}`,
		});
		assert.equal(status, path === "/" ? 200 : 404, path);
	}
	assert.equal((await fetch(metadataOf("/mcp"), { method: "HEAD" })).status, 200);
	const posted = await fetch(metadataOf("/mcp"), { method: "POST" });
	assert.equal(posted.status, 405);
	assert.equal(posted.headers.get("allow"), "GET, HEAD");
});

test("a page of an allowed origin can read the metadata", async () => {
	const origin = "https://app.example.com";
	const response = await fetch(metadataOf("/mcp"), { headers: { origin } });
	assert.equal(response.headers.get("access-control-allow-origin"), origin);
	const stranger = await fetch(metadataOf("/mcp"), {
		headers: { origin: "https://evil.example.com" },
	});
	assert.equal(stranger.status, 403);
});

test("a token is good at the address it was issued for, and nowhere else", async () => {
	const token = await provider.token({ resource: resource(), scope: "mcp" });
	assert.equal((await post(bearer(token))).status, 200);
	const elsewhere = await post(bearer(token), resource("other"));
	assert.equal(elsewhere.status, 401);
	assert.equal(elsewhere.code, "token_audience");
	assert.match(elsewhere.challenge ?? "", /error="invalid_token"/);
	assert.match(elsewhere.challenge ?? "", /resource_metadata="[^"]*\/other\/mcp"/);
	const whole = await provider.token({ resource: gateway.url, scope: "mcp" });
	for (const name of ["mcp", "echo", "other"]) {
		assert.equal((await post(bearer(whole), resource(name))).status, 200, name);
	}
});

test("a token without a scope that every call needs is told so, for one more authorization", async () => {
	const token = await provider.token({ resource: resource(), scope: "tools" });
	const { status, challenge, code } = await post(bearer(token));
	assert.equal(status, 403);
	assert.equal(code, "scope_insufficient");
	assert.equal(
		challenge,
		`Bearer error="insufficient_scope", scope="mcp", resource_metadata="${metadataOf("/echo/mcp")}", ` +
			'error_description="The access token lacks scopes that this needs."',
	);
});

test("a token is good at the admin API if it is for `/api` and has the scope `admin`", async () => {
	const session = async (resource: string, scope: string) => {
		const token = await forge.token(resource, { claims: { scope } });
		const response = await fetch(`${gateway.url}/api/session`, { headers: bearer(token) });
		return { status: response.status, code: ((await response.json()) as { code?: string }).code };
	};
	const api = `${gateway.url}/api`;
	assert.equal((await session(api, "mcp admin")).status, 200);
	for (const scope of ["mcp", "admin", ""]) {
		assert.deepEqual(await session(api, scope), { status: 403, code: "scope_missing" });
	}
	// One for every MCP address, or for one of them, is none for administering.
	for (const elsewhere of [gateway.url, resource(), `${gateway.url}/mcp`]) {
		assert.equal((await session(elsewhere, "mcp admin")).status, 401);
	}
});

test("a tool that needs more is told of in the same way, with every scope of the call", async (t) => {
	const stepped = await startGateway({
		identity: { issuers: [{ issuer: forge.issuer }], scopes: ["mcp"] },
		servers: {
			echo: { ...stdioFixture("sdk-v1-stdio"), tools: { echo: { scopes: ["tools", "write"] } } },
		},
	});
	t.after(() => stepped.stop());
	const address = stepped.address("echo").href;
	const call = async (scope: string) => {
		const headers = bearer(await forge.token(address, { claims: { scope } }));
		const { session } = await post(headers, address);
		const params = '{"name":"echo","arguments":{"text":"hi"}}';
		const response = await fetch(address, {
			method: "POST",
			headers: { ...post_headers, ...headers, "mcp-session-id": session },
			body: `{"jsonrpc":"2.0","id":2,"method":"tools/call","params":${params}}`,
		});
		const text = await response.text();
		return { status: response.status, text, challenge: response.headers.get("www-authenticate") };
	};
	for (const scope of ["mcp", "mcp tools"]) {
		const { status, challenge, text } = await call(scope);
		assert.equal(status, 403, text);
		const metadata = `${stepped.url}/.well-known/oauth-protected-resource/echo/mcp`;
		assert.match(challenge ?? "", /^Bearer error="insufficient_scope", scope="mcp tools write", /);
		assert.ok(challenge?.includes(`resource_metadata="${metadata}"`), challenge ?? "");
	}
	const allowed = await call("mcp tools write");
	assert.equal(allowed.status, 200, allowed.text);
	assert.match(allowed.text, /hi/);
});

const wrong: [string, number, string, () => Promise<string>][] = [
	["expired", 401, "token_expired", () => forge.token(resource(), { claims: { exp: 1_000 } })],
	[
		"not valid yet",
		401,
		"token_not_yet_valid",
		() => forge.token(resource(), { claims: { nbf: 9e9 } }),
	],
	[
		"of another issuer",
		401,
		"token_issuer",
		() => forge.token(resource(), { claims: { iss: "https://evil.example.com" } }),
	],
	[
		"signed by another",
		401,
		"token_issuer",
		() => forge.token(resource(), { claims: { iss: "x" } }),
	],
	[
		"in another's name",
		401,
		"token_key",
		() => forge.token(resource(), { claims: { iss: provider.issuer } }),
	],
	[
		"for nobody",
		401,
		"token_claims",
		() => forge.token(resource(), { claims: { sub: undefined } }),
	],
	[
		"without an end",
		401,
		"token_claims",
		() => forge.token(resource(), { claims: { exp: undefined } }),
	],
	["an ID token", 401, "token_type", () => forge.token(resource(), { header: { typ: "JWT" } })],
	[
		"unsigned",
		401,
		"token_algorithm",
		async () => `${part({ alg: "none" })}.${part({ iss: forge.issuer })}.`,
	],
	[
		"a MAC",
		401,
		"token_algorithm",
		async () => `${part({ alg: "HS256" })}.${part({ iss: forge.issuer })}.AA`,
	],
	["cut off", 401, "token_malformed", async () => "eyJhbGciOiJFUzI1NiJ9.e30x.AA"],
	["opaque", 401, "token_unknown", async () => "opaque"],
	["an unknown key", 401, "credential_unknown", async () => "moorage_unknown"],
];

function part(value: object): string {
	return Buffer.from(JSON.stringify(value)).toString("base64url");
}

for (const [name, status, code, make] of wrong) {
	test(`a token that is ${name} is refused with ${code}`, async () => {
		const token = await make();
		const answer = await post(bearer(token));
		assert.equal(answer.code, code, answer.text);
		assert.equal(answer.status, status);
		assert.match(
			answer.challenge ?? "",
			/^Bearer resource_metadata="[^"]+", scope="mcp", error="invalid_token", error_description="[ -~]+"$/,
		);
		assert.ok(!answer.text.includes(token), "it is not echoed");
		const lines = gateway.log.lines.map((line) => JSON.stringify(line));
		const logged = lines.find((line) => line.includes(String(answer.error_id)));
		assert.ok(logged?.includes(code), "the log has the same id");
		assert.ok(token.length < 20 || !lines.some((line) => line.includes(token)));
	});
}

test("a header that is no credential is refused as such", async () => {
	for (const authorization of [
		"Basic YTpi",
		"Bearer",
		"Bearer a b",
		"Bearer ,",
		"Token x",
		"DPoP",
	]) {
		const { status, code, challenge } = await post({ authorization });
		assert.equal(status, 400, authorization);
		assert.equal(code, "credential_malformed");
		assert.match(challenge ?? "", /error="invalid_request"/);
	}
	const token = await provider.token({ resource: resource(), scope: "mcp" });
	const twice = await exchange(new URL(resource()), {
		method: "POST",
		headers: { ...post_headers, authorization: [`Bearer ${token}`, `Bearer ${token}`] },
		body: initialize,
	});
	assert.equal(twice.status, 400, "two headers of which one would be dropped");
});

test("keys stay good beside tokens", async () => {
	assert.equal((await post(bearer(key))).status, 200);
	const { code, challenge } = await post({ authorization: `DPoP ${key}` });
	assert.equal(code, "credential_unknown");
	assert.match(challenge ?? "", /^DPoP algs="/);
});

test("a session belongs to the person whose token opened it, whichever token comes next", async () => {
	const scope = "mcp";
	const opened = await post(bearer(await provider.token({ resource: resource(), scope })));
	const list = async (token: string) => {
		const response = await fetch(resource(), {
			method: "POST",
			headers: { ...post_headers, ...bearer(token), "mcp-session-id": opened.session },
			body: '{"jsonrpc":"2.0","id":2,"method":"tools/list"}',
		});
		await response.text();
		return response.status;
	};
	assert.equal(await list(await provider.token({ resource: resource(), scope })), 200);
	assert.equal(
		await list(await provider.token({ resource: resource(), scope, client: "robot" })),
		404,
	);
	const forged = await forge.token(resource(), {
		claims: { sub: "machine", scope, tenant: "corp" },
	});
	assert.equal(await list(forged), 404, "of the same name, but of another issuer");
});

test("a token that is bound to a key is good only with a proof of it", async () => {
	const client = await signingKey("client");
	const token = await provider.token({
		resource: resource(),
		scope: "mcp",
		client: "bound",
		key: client,
	});
	const request = { method: "POST", url: resource(), token };
	const proof = await proofOf(client, request);
	const authorization = `DPoP ${token}`;
	assert.equal((await post({ authorization, dpop: proof })).status, 200);
	const outcomes = [
		[
			{ authorization, dpop: proof },
			"dpop_proof_replayed",
			/^DPoP algs=".*error="invalid_dpop_proof"/,
		],
		[{ authorization }, "dpop_proof_missing", /^DPoP /],
		[{ authorization, dpop: "x" }, "dpop_proof_invalid", /^DPoP /],
		[
			{ authorization, dpop: await proofOf(client, { ...request, method: "GET" }) },
			"dpop_proof_invalid",
			/^DPoP /,
		],
		[
			{ authorization, dpop: await proofOf(client, { ...request, url: resource("other") }) },
			"dpop_proof_invalid",
			/^DPoP /,
		],
		[bearer(token), "token_binding", /^Bearer .*error="invalid_token"/],
	] as const;
	for (const [headers, expected, challenge] of outcomes) {
		const answer = await post(headers);
		assert.equal(answer.code, expected);
		assert.equal(answer.status, 401);
		assert.match(answer.challenge ?? "", challenge);
	}
	const thief = await signingKey("thief");
	const bound = await forge.token(resource(), {
		claims: { scope: "mcp", cnf: await boundTo(client) },
	});
	const stolen = await proofOf(thief, { ...request, token: bound });
	assert.equal(
		(await post({ authorization: `DPoP ${bound}`, dpop: stolen })).code,
		"dpop_proof_invalid",
	);
});

test("the SDKs find their way from the refusal to the provider and back", async () => {
	const info = { name: "sdk", version: "1" };
	const credentials = {
		clientId: "machine",
		clientSecret: "s3cret",
		scope: "mcp",
		expectedIssuer: provider.issuer,
	};
	const v1 = new ClientV1(info);
	await v1.connect(new HttpV1(new URL(resource()), { authProvider: new ProviderV1(credentials) }));
	assert.ok((await v1.listTools()).tools.length > 0);
	await v1.close();
	for (const mode of ["legacy", { pin: "2026-07-28" }] as const) {
		const v2 = new ClientV2(info, mode === "legacy" ? {} : { versionNegotiation: { mode } });
		await v2.connect(
			new HttpV2(new URL(resource()), { authProvider: new ProviderV2(credentials) }),
		);
		assert.ok((await v2.listTools()).tools.length > 0);
		await v2.close();
	}
});

test("a new key of the provider is found, and its old one ends", async () => {
	const old = await provider.token({ resource: resource(), scope: "mcp" });
	assert.equal((await post(bearer(old))).status, 200);
	await provider.rotate();
	const token = await provider.token({ resource: resource(), scope: "mcp" });
	offset_ms += 30_000;
	assert.equal((await post(bearer(token))).status, 200);
	const unseen = await provider.token({ resource: resource(), scope: "mcp" });
	assert.equal((await post(bearer(unseen))).status, 200);
});

test("a token that only the provider can read is asked about", async (t) => {
	const introspection = { client_id: "moorage", client_secret: "s3cret" };
	const asking = await startGateway({
		identity: {
			issuers: [{ issuer: provider.issuer, introspection, claims: { user: "client_id" } }],
		},
		servers: { opaque: stdioFixture("sdk-v1-stdio"), echo: stdioFixture("sdk-v1-stdio") },
	});
	t.after(() => asking.stop());
	const address = asking.address("opaque").href;
	const token = await provider.token({ resource: address, scope: "mcp" });
	assert.ok(!token.includes("."));
	assert.equal((await post(bearer(token), address)).status, 200);
	assert.equal((await post(bearer(token), asking.address("echo"))).code, "token_audience");
	assert.equal((await post(bearer("made-up"), address)).code, "token_inactive");
});

test("an issuer that is gone lets nobody new in, and says when to come again", async (t) => {
	const gone = await startTokenIssuer();
	const lonely = await startGateway({
		identity: { issuer: gone.issuer },
		servers: { echo: stdioFixture("sdk-v1-stdio") },
	});
	t.after(() => lonely.stop());
	const address = lonely.address("echo").href;
	const token = await gone.token(address);
	await gone.close();
	const response = await fetch(address, {
		method: "POST",
		headers: { ...post_headers, ...bearer(token) },
		body: initialize,
	});
	assert.equal(response.status, 503);
	assert.equal(response.headers.get("retry-after"), "5");
	assert.match(await response.text(), /issuer_unavailable/);
});

test("whoever leaves while their token is looked at leaves nothing behind", async (t) => {
	const slow = await startTokenIssuer();
	const waiting = await startGateway({
		identity: { issuer: slow.issuer },
		limits: { requests_in_flight: 1 },
		servers: { echo: stdioFixture("sdk-v1-stdio") },
	});
	t.after(async () => {
		await waiting.stop();
		await slow.close();
	});
	const address = waiting.address("echo").href;
	let release = () => {};
	slow.held = new Promise((resolve) => {
		release = resolve;
	});
	const token = await slow.token(address);
	const abort = new AbortController();
	const left = fetch(address, {
		method: "POST",
		headers: { ...post_headers, ...bearer(token) },
		body: initialize,
		signal: abort.signal,
	});
	await until(() => slow.asked.length > 0);
	abort.abort();
	await assert.rejects(left);
	// Whoever is answered now comes after the end of that connection.
	assert.equal((await fetch(`${waiting.url}/healthz`)).status, 200);
	release();
	await until(() => slow.asked.includes("/jwks"));
	const other = await slow.token(address);
	// There is place for one request only: if the one that left still took it, these were refused.
	for (let index = 0; index < 3; index += 1) {
		assert.equal((await post(bearer(other), address)).status, 200);
	}
});

test("where only keys are known there is no authorization server to be sent to", async (t) => {
	const plain = await startGateway({
		identity: { keys: [{ name: "ci", hash: `sha256:${hashApiKey(key)}` }] },
		servers: {},
	});
	t.after(() => plain.stop());
	const response = await fetch(`${plain.url}/.well-known/oauth-protected-resource/mcp`);
	assert.equal(response.status, 404);
	assert.equal((await post({}, plain.address())).challenge, 'Bearer realm="moorage"');
});

test("neither the token nor its proof ever goes to a server", async (t) => {
	const upstream = await recordingServer(t);
	const through = await startGateway({
		identity: {
			issuers: [
				{ issuer: provider.issuer, tenant: "corp" },
				{ issuer: forge.issuer, tenant: "forge" },
			],
		},
		servers: { remote: { url: upstream.url } },
	});
	t.after(() => through.stop());
	const address = through.address("remote").href;
	const client = await signingKey("client");
	const plain = await provider.token({ resource: address, scope: "mcp" });
	const bound = await provider.token({ resource: address, client: "bound", key: client });
	const proof = () => proofOf(client, { method: "POST", url: address, token: bound });
	const all: Record<string, string>[] = [
		bearer(plain),
		{ authorization: `DPoP ${bound}`, dpop: await proof() },
	];
	for (const headers of all) {
		const opened = await post(
			{ ...headers, cookie: `a=${plain}`, "proxy-authorization": "Bearer x" },
			address,
		);
		assert.equal(opened.status, 200, opened.text);
		const again = headers["dpop"] === undefined ? headers : { ...headers, dpop: await proof() };
		const called = await fetch(address, {
			method: "POST",
			headers: { ...post_headers, ...again, "mcp-session-id": opened.session },
			body: '{"jsonrpc":"2.0","id":2,"method":"tools/call","params":{"name":"hello","arguments":{}}}',
		});
		assert.match(await called.text(), /hello there/);
	}
	const heard = upstream.heard.join("\n");
	assert.match(heard, /tools\/call/);
	for (const secret of [plain, bound, ...plain.split("."), ...bound.split(".").slice(1)]) {
		assert.ok(!heard.includes(secret));
	}
	assert.doesNotMatch(heard, /^(authorization|dpop|cookie|proxy-authorization|forwarded):/im);
});
