import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import {
	authorization,
	type Browser,
	callback,
	type LoginScene,
	logInAndConsent,
	opened,
	pkce,
	startLogin,
} from "../../test/support/login-scene.ts";

const app = {
	client_id: "app",
	client_name: "The App",
	redirect_uris: [callback],
	token_endpoint_auth_method: "none",
	grant_types: ["authorization_code", "refresh_token"],
};

async function setUp(t: TestContext): Promise<LoginScene> {
	const scene = await startLogin();
	t.after(() => scene.close());
	await scene.client(app);
	return scene;
}

/** A whole authorization, and the token for its code. */
async function authorize(
	scene: LoginScene,
	browser: Browser = scene.browser(),
	change: Readonly<Record<string, string>> = {},
) {
	const { verifier, challenge } = pkce();
	const answer = await logInAndConsent(browser, authorization(scene, challenge, change));
	const code = answer.searchParams.get("code") ?? "";
	return { answer, exchange: exchangeOf(scene, code, verifier) };
}

function exchangeOf(scene: LoginScene, code: string, code_verifier: string) {
	return {
		grant_type: "authorization_code",
		client_id: "app",
		code,
		redirect_uri: callback,
		code_verifier,
		resource: scene.resource,
	};
}

test("a person logs in, consents, and the client gets a token for one address", async (t) => {
	const scene = await setUp(t);
	const { answer, exchange } = await authorize(scene);
	assert.equal(answer.origin + answer.pathname, callback);
	assert.equal(answer.searchParams.get("iss"), scene.issuer);
	assert.equal(answer.searchParams.get("state"), "st-1");
	const got = await scene.token(exchange);
	assert.equal(got.status, 200);
	assert.equal(got.headers.get("cache-control"), "no-store");
	assert.equal(got.body["token_type"], "Bearer");
	assert.equal(got.body["expires_in"], 600);
	const { header, claims } = opened(scene, got.body["access_token"]);
	assert.equal(header["typ"], "at+jwt");
	const { iss, sub, aud, client_id, scope, tenant, user, roles } = claims;
	assert.deepEqual(
		{ iss, sub, aud, client_id, scope, tenant, user, roles },
		{
			iss: scene.issuer,
			sub: "acme/ana",
			aud: scene.resource,
			client_id: "app",
			scope: "mcp",
			tenant: "acme",
			user: "ana",
			roles: ["admin"],
		},
	);
});

test("what the authorization server says about itself is the same at both addresses", async (t) => {
	const scene = await setUp(t);
	const documents = await Promise.all(
		["oauth-authorization-server", "openid-configuration"].map(async (name) => {
			const response = await fetch(`${scene.issuer}/.well-known/${name}`);
			assert.equal(response.status, 200);
			assert.match(response.headers.get("content-type") ?? "", /^application\/json/);
			return (await response.json()) as Record<string, unknown>;
		}),
	);
	const [document = {}] = documents;
	assert.deepEqual(documents[1], document);
	assert.equal(document["issuer"], scene.issuer);
	assert.equal(document["authorization_endpoint"], `${scene.issuer}/oauth/authorize`);
	assert.equal(document["token_endpoint"], `${scene.issuer}/oauth/token`);
	assert.equal(document["jwks_uri"], `${scene.issuer}/oauth/jwks`);
	assert.equal(document["registration_endpoint"], undefined);
	assert.deepEqual(document["code_challenge_methods_supported"], ["S256"]);
	assert.deepEqual(document["response_types_supported"], ["code"]);
	assert.equal(document["authorization_response_iss_parameter_supported"], true);
	assert.equal(document["client_id_metadata_document_supported"], undefined);
	assert.deepEqual(document["scopes_supported"], ["openid", "offline_access", "mcp", "billing"]);
	const jwks = await (await fetch(`${scene.issuer}/oauth/jwks`)).text();
	assert.deepEqual(JSON.parse(jwks), JSON.parse(JSON.stringify(scene.login.jwks())));
	for (const part of ["d", "p", "q", "dp", "dq", "qi"]) assert.ok(!jwks.includes(`"${part}":`));
});

for (const [what, change] of [
	["no code challenge", { code_challenge: undefined, code_challenge_method: undefined }],
	["the plain method", { code_challenge_method: "plain" }],
	["no method, which means plain", { code_challenge_method: undefined }],
	["another response type", { response_type: "token" }],
	["another site's address as its resource", { resource: "https://other.example/mcp" }],
	["an address of ours that is no MCP address", { resource: "self/api" }],
] as const) {
	test(`an authorization with ${what} is refused, and the client is told`, async (t) => {
		const scene = await setUp(t);
		const given: Record<string, string | undefined> = { ...change };
		if (given["resource"] === "self/api") given["resource"] = `${scene.issuer}/api`;
		const page = await scene.browser().follow(authorization(scene, pkce().challenge, given));
		const { location } = page;
		const fragment = new URLSearchParams(location?.hash.slice(1));
		const told = location?.searchParams.get("error") ?? fragment.get("error");
		assert.match(told ?? "", /^(invalid_request|invalid_target|unsupported_response_type)$/);
		assert.equal(location?.searchParams.get("iss") ?? fragment.get("iss"), scene.issuer);
	});
}

for (const [what, change] of [
	["a redirect that is not registered", { redirect_uri: "https://client.example/other" }],
	["a redirect that only begins like one", { redirect_uri: `${callback}.evil.example` }],
	["a client nobody knows", { client_id: "nobody" }],
] as const) {
	test(`an authorization with ${what} ends on a page and sends the browser nowhere`, async (t) => {
		const scene = await setUp(t);
		const page = await scene.browser().follow(authorization(scene, pkce().challenge, change));
		assert.equal(page.status, 400);
		assert.equal(page.location, undefined);
		assert.match(page.text, /This did not work/);
		assert.match(page.headers.get("content-security-policy") ?? "", /default-src 'none'/);
	});
}

for (const [what, change] of [
	["without a verifier", { code_verifier: "" }],
	["with another verifier", { code_verifier: pkce().verifier }],
	["with another redirect", { redirect_uri: "https://client.example/other" }],
	["as another client", { client_id: "other" }],
	["for another resource", { resource: "https://other.example/mcp" }],
] as const) {
	test(`a code used ${what} gives no token`, async (t) => {
		const scene = await setUp(t);
		await scene.client({ ...app, client_id: "other" });
		const { exchange } = await authorize(scene);
		const got = await scene.token({ ...exchange, ...change });
		assert.equal(got.status, 400);
		assert.match(String(got.body["error"]), /^(invalid_grant|invalid_target|invalid_request)$/);
		assert.equal(got.body["access_token"], undefined);
	});
}

test("a code is good once, and its second use takes everything back", async (t) => {
	const scene = await setUp(t);
	const { exchange } = await authorize(scene);
	const first = await scene.token(exchange);
	assert.equal(first.status, 200);
	const second = await scene.token(exchange);
	assert.equal(second.body["error"], "invalid_grant");
	const refreshed = await scene.token({
		grant_type: "refresh_token",
		client_id: "app",
		refresh_token: String(first.body["refresh_token"]),
	});
	assert.equal(refreshed.body["error"], "invalid_grant");
});

test("a refresh token is good once; when an old one comes back, the new one is void too", async (t) => {
	const scene = await setUp(t);
	const { exchange } = await authorize(scene);
	const first = await scene.token(exchange);
	const refresh = (token: unknown) =>
		scene.token({ grant_type: "refresh_token", client_id: "app", refresh_token: String(token) });
	const second = await refresh(first.body["refresh_token"]);
	assert.equal(second.status, 200);
	assert.notEqual(second.body["refresh_token"], first.body["refresh_token"]);
	assert.equal(opened(scene, second.body["access_token"]).claims["aud"], scene.resource);
	const reused = await refresh(first.body["refresh_token"]);
	assert.equal(reused.body["error"], "invalid_grant");
	const third = await refresh(second.body["refresh_token"]);
	assert.equal(third.body["error"], "invalid_grant");
});

test("of many uses of one refresh token at once, one at most gets a token", async (t) => {
	const scene = await setUp(t);
	const { exchange } = await authorize(scene);
	const first = await scene.token(exchange);
	const body = {
		grant_type: "refresh_token",
		client_id: "app",
		refresh_token: String(first.body["refresh_token"]),
	};
	const all = await Promise.all(Array.from({ length: 8 }, () => scene.token(body)));
	const good = all.filter(({ status }) => status === 200);
	assert.ok(good.length <= 1, `${good.length} got a token`);
	for (const { status } of all) assert.ok(status === 200 || status === 400);
});

test("a token says the roles that its holder has now, and nobody's token is renewed", async (t) => {
	const scene = await setUp(t);
	const { exchange } = await authorize(scene);
	const first = await scene.token(exchange);
	await scene.people.changeUser("acme", "ana", { roles: ["member"] });
	const body = { grant_type: "refresh_token", client_id: "app" };
	const second = await scene.token({
		...body,
		refresh_token: String(first.body["refresh_token"]),
	});
	assert.deepEqual(opened(scene, second.body["access_token"]).claims["roles"], ["member"]);
	await scene.people.removeUser("acme", "ana");
	const third = await scene.token({
		...body,
		refresh_token: String(second.body["refresh_token"]),
	});
	assert.equal(third.body["error"], "invalid_grant");
});

test("a client that wants more later is granted it beside what it has", async (t) => {
	const scene = await setUp(t);
	const browser = scene.browser();
	await authorize(scene, browser);
	const { verifier, challenge } = pkce();
	const more = authorization(scene, challenge, { scope: "mcp billing" });
	const page = await browser.follow(more);
	assert.match(page.text, /<code>billing<\/code>/);
	const done = await browser.submit(page, "consent");
	const code = done.location?.searchParams.get("code") ?? "";
	const got = await scene.token(exchangeOf(scene, code, verifier));
	assert.equal(got.body["scope"], "mcp billing");
});

test("a scope that does not exist is not granted", async (t) => {
	const scene = await setUp(t);
	const { exchange } = await authorize(scene, undefined, { scope: "mcp root" });
	assert.equal((await scene.token(exchange)).body["scope"], "mcp");
});

test("a refresh token that is revoked is refused from then on", async (t) => {
	const scene = await setUp(t);
	const { exchange } = await authorize(scene);
	const first = await scene.token(exchange);
	const token = String(first.body["refresh_token"]);
	const revoked = await fetch(`${scene.issuer}/oauth/revoke`, {
		method: "POST",
		body: new URLSearchParams({ token, client_id: "app" }),
	});
	assert.equal(revoked.status, 200);
	const got = await scene.token({
		grant_type: "refresh_token",
		client_id: "app",
		refresh_token: token,
	});
	assert.equal(got.body["error"], "invalid_grant");
});

test("what is kept tells no code, token, cookie or secret to whoever reads the database", async (t) => {
	const scene = await setUp(t);
	const { answer, exchange } = await authorize(scene);
	const got = await scene.token(exchange);
	const rows = await scene.store.database.connection
		.selectFrom("login_records")
		.selectAll()
		.execute();
	const dump = JSON.stringify(rows);
	assert.ok(rows.length >= 4);
	for (const secret of [answer.searchParams.get("code"), got.body["refresh_token"]]) {
		assert.ok(!dump.includes(String(secret)));
	}
	assert.ok(!dump.includes("redirect"));
});

test("the server goes on after a restart: keys, grants and refresh tokens are kept", async (t) => {
	const scene = await setUp(t);
	const { exchange } = await authorize(scene);
	const first = await scene.token(exchange);
	await scene.login.use(undefined);
	const off = await scene.token({ grant_type: "refresh_token" }).catch(() => undefined);
	assert.equal(off, undefined);
	await scene.use({ scopes: [] });
	const second = await scene.token({
		grant_type: "refresh_token",
		client_id: "app",
		refresh_token: String(first.body["refresh_token"]),
	});
	assert.equal(second.status, 200);
	const kid = (token: unknown) => opened(scene, token).header["kid"];
	assert.equal(kid(second.body["access_token"]), kid(first.body["access_token"]));
});
