import assert from "node:assert/strict";
import { generateKeyPairSync, sign } from "node:crypto";
import { type TestContext, test } from "node:test";
import {
	authorization,
	callback,
	type LoginScene,
	logInAndConsent,
	opened,
	password,
	pkce,
	startLogin,
} from "../../test/support/login-scene.ts";
import type { GuardedFetch } from "../lib/guarded-fetch.ts";
import { systemRandom } from "../lib/random.ts";
import { LoginClients, type NewClient } from "./clients.ts";

async function setUp(t: TestContext, change: Parameters<typeof startLogin>[0] = {}) {
	const scene = await startLogin(change);
	t.after(() => scene.close());
	return { scene, clients: clientsOf(scene) };
}

function clientsOf(scene: LoginScene): LoginClients {
	return new LoginClients({ ...scene.records, random: systemRandom }, scene.login.machines);
}

const alone: NewClient = {
	client_id: "ci",
	name: "CI",
	redirect_uris: [],
	secret: true,
	jwks: undefined,
	holder: { tenant: "acme", user: "ci", roles: ["operator"] },
	enterprise: false,
};

const basic = (id: string, secret: string) => ({
	headers: { authorization: `Basic ${Buffer.from(`${id}:${secret}`).toString("base64")}` },
});

test("a client with a secret gets a token in the name it was given, not one it chooses", async (t) => {
	const { scene, clients } = await setUp(t);
	const added = await clients.add(alone);
	assert.ok(added.ok);
	const secret = added.value.secret ?? "";
	const wanted = { grant_type: "client_credentials", resource: scene.resource, scope: "billing" };
	const got = await scene.token(wanted, basic("ci", secret));
	assert.equal(got.status, 200, JSON.stringify(got.body));
	const { tenant, user, roles, aud, scope, client_id } = opened(
		scene,
		got.body["access_token"],
	).claims;
	assert.deepEqual(
		{ tenant, user, roles, aud, scope, client_id },
		{
			tenant: "acme",
			user: "ci",
			roles: ["operator"],
			aud: scene.resource,
			scope: "billing",
			client_id: "ci",
		},
	);
	const posted = await scene.token({ ...wanted, client_id: "ci", client_secret: secret });
	assert.equal(posted.status, 200);
	const wrong = await scene.token(wanted, basic("ci", "wrong"));
	assert.equal(wrong.body["error"], "invalid_client");
	const nothing = await scene.token({ ...wanted, client_id: "ci" });
	assert.equal(nothing.body["error"], "invalid_client");
});

test("a client of people gets no token without one of them", async (t) => {
	const { scene, clients } = await setUp(t);
	const redirect_uris = [callback];
	const added = await clients.add({ ...alone, holder: undefined, redirect_uris });
	assert.ok(added.ok);
	const wanted = { grant_type: "client_credentials", resource: scene.resource };
	const got = await scene.token(wanted, basic("ci", added.value.secret ?? ""));
	assert.equal(got.status, 400);
	assert.equal(got.body["access_token"], undefined);
});

test("an id that is drawn for a client is none that a command line takes for an option", async (t) => {
	const { clients } = await setUp(t);
	const added = await clients.add({ ...alone, client_id: undefined });
	assert.match(added.ok ? added.value.client.client_id : "", /^[0-9a-f]{18}$/);
});

test("a client signs an assertion with its private key; no other, and no assertion twice", async (t) => {
	const { scene, clients } = await setUp(t);
	const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
	const jwks = { keys: [publicKey.export({ format: "jwk" }) as Record<string, unknown>] };
	await clients.add({ ...alone, client_id: "bot", secret: false, jwks });
	const now_s = Math.floor(Date.now() / 1000);
	const assertion = (change: object = {}, key = privateKey) => {
		const part = (value: object) => Buffer.from(JSON.stringify(value)).toString("base64url");
		const claims = {
			iss: "bot",
			sub: "bot",
			aud: scene.issuer,
			jti: systemRandom.uuid(),
			iat: now_s,
			exp: now_s + 60,
			...change,
		};
		const text = `${part({ alg: "ES256" })}.${part(claims)}`;
		const options = { key, dsaEncoding: "ieee-p1363" } as const;
		return `${text}.${sign("sha256", Buffer.from(text), options).toString("base64url")}`;
	};
	const ask = (client_assertion: string) =>
		scene.token({
			grant_type: "client_credentials",
			resource: scene.resource,
			client_assertion,
			client_assertion_type: "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
		});
	const once = assertion();
	assert.equal((await ask(once)).status, 200);
	assert.equal((await ask(once)).body["error"], "invalid_client");
	const other = generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey;
	assert.equal((await ask(assertion({}, other))).body["error"], "invalid_client");
	assert.equal((await ask(assertion({ exp: now_s - 60 }))).body["error"], "invalid_client");
	const elsewhere = assertion({ aud: "https://other.example" });
	assert.equal((await ask(elsewhere)).body["error"], "invalid_client");
});

test("clients do not register themselves unless that is switched on", async (t) => {
	const { scene } = await setUp(t);
	const response = await fetch(`${scene.issuer}/oauth/register`, {
		method: "POST",
		headers: { "content-type": "application/json" },
		body: JSON.stringify({ redirect_uris: [callback] }),
	});
	assert.equal(response.status, 404);
});

test("a client registers itself, is used, seen, and forgotten with all it was given", async (t) => {
	const { scene, clients } = await setUp(t, { registration: true });
	const register = async (metadata: object) => {
		const response = await fetch(`${scene.issuer}/oauth/register`, {
			method: "POST",
			headers: { "content-type": "application/json" },
			body: JSON.stringify(metadata),
		});
		return {
			status: response.status,
			body: (await response.json()) as Record<string, string | undefined>,
		};
	};
	const made = await register({
		client_name: "Editor",
		redirect_uris: [callback],
		grant_types: ["authorization_code", "refresh_token"],
		response_types: ["code"],
		token_endpoint_auth_method: "none",
		roles: ["admin"],
		scope: "mcp",
	});
	assert.equal(made.status, 201, JSON.stringify(made.body));
	assert.equal(made.body["scope"], undefined);
	const client_id = String(made.body["client_id"]);
	assert.equal(made.body["registration_access_token"], undefined);
	const lifeOf = async () => {
		const record = await scene.login.clients.find(client_id);
		return ((record?.expires_at_ms ?? 0) - scene.clock.now()) / (24 * 60 * 60_000);
	};
	assert.equal(await lifeOf(), 1, "days, as long as nobody has allowed it");
	const browser = scene.browser();
	const { verifier, challenge } = pkce();
	const wanted = authorization(scene, challenge, { client_id, scope: "mcp billing" });
	const answer = await logInAndConsent(browser, wanted);
	const got = await scene.token({
		grant_type: "authorization_code",
		client_id,
		code: answer.searchParams.get("code") ?? "",
		redirect_uri: callback,
		code_verifier: verifier,
	});
	assert.equal(got.status, 200, JSON.stringify(got.body));
	assert.deepEqual(
		(await clients.list()).map(({ source, name, grants }) => [source, name, grants]),
		[["dynamic", "Editor", 1]],
	);
	assert.equal(await lifeOf(), 90, "days, from then on");
	const [grant] = await clients.grants();
	assert.deepEqual(
		[grant?.account, grant?.client_id, grant?.scopes],
		["acme/ana", client_id, ["mcp", "billing"]],
	);
	assert.equal(await clients.remove(client_id), true);
	assert.equal(await clients.remove(client_id), false);
	const refresh_token = String(got.body["refresh_token"]);
	const after = await scene.token({ grant_type: "refresh_token", client_id, refresh_token });
	assert.equal(after.body["error"], "invalid_client");
	for (const metadata of [
		{ redirect_uris: [callback], grant_types: ["client_credentials"], response_types: [] },
		{ redirect_uris: [callback], grant_types: ["authorization_code", "client_credentials"] },
		{ redirect_uris: ["javascript:alert(1)"] },
		{ redirect_uris: ["https://client.example/cb#part"] },
		{ redirect_uris: [] },
		{ redirect_uris: "x" },
	]) {
		const refused = await register(metadata);
		assert.equal(refused.status, 400, JSON.stringify(metadata));
	}
	assert.deepEqual(await clients.list(), []);
});

test("taking a grant back, or ending a person's logins, ends what came from it", async (t) => {
	const { scene, clients } = await setUp(t);
	const given = { ...alone, client_id: "app", holder: undefined, secret: false };
	await clients.add({ ...given, redirect_uris: [callback] });
	const refreshToken = async () => {
		const { verifier, challenge } = pkce();
		const answer = await logInAndConsent(scene.browser(), authorization(scene, challenge));
		const got = await scene.token({
			grant_type: "authorization_code",
			client_id: "app",
			code: answer.searchParams.get("code") ?? "",
			redirect_uri: callback,
			code_verifier: verifier,
		});
		return String(got.body["refresh_token"]);
	};
	const refresh = async (refresh_token: string) =>
		(await scene.token({ grant_type: "refresh_token", client_id: "app", refresh_token })).status;
	const first = await refreshToken();
	const [grant] = await clients.grants();
	assert.equal(await clients.removeGrant(grant?.id ?? ""), true);
	assert.equal(await clients.removeGrant(grant?.id ?? ""), false);
	assert.equal(await refresh(first), 400);
	const second = await refreshToken();
	await clients.endLogins("acme/ana");
	assert.equal(await refresh(second), 400);
	assert.deepEqual(await clients.grants(), []);
});

interface Answer {
	readonly body: string;
	readonly status: number;
}

/** Documents by address, as the guard would have fetched them. */
function documentsAt(documents: Readonly<Record<string, Answer | Error>>) {
	const asked: string[] = [];
	const fetch: GuardedFetch = async (url) => {
		asked.push(url);
		const found = documents[url];
		if (found instanceof Error) throw found;
		return new Response(found?.body ?? "", { status: found?.status ?? 404 });
	};
	return { asked, fetch };
}

const id = "https://client.example/mcp.json";
const described = {
	client_id: id,
	client_name: "Described",
	redirect_uris: [callback],
	token_endpoint_auth_method: "none",
	grant_types: ["authorization_code", "refresh_token"],
	response_types: ["code"],
};
const answered = (body: unknown, status = 200): Answer => ({
	body: typeof body === "string" ? body : JSON.stringify(body),
	status,
});

test("a client is known by the document at its id, which is fetched once", async (t) => {
	const { asked, fetch } = documentsAt({ [id]: answered(described) });
	const scene = await startLogin({ client_documents: ["*.example"] }, { fetch });
	t.after(() => scene.close());
	const document = await globalThis.fetch(`${scene.issuer}/.well-known/oauth-authorization-server`);
	const { client_id_metadata_document_supported } = (await document.json()) as Record<
		string,
		boolean
	>;
	assert.equal(client_id_metadata_document_supported, true);
	const { verifier, challenge } = pkce();
	const browser = scene.browser();
	const login = await browser.follow(authorization(scene, challenge, { client_id: id }));
	const consent = await browser.submit(login, "login", { name: "ana", password });
	assert.match(consent.text, /Described/);
	assert.match(consent.text, /vouched for by client\.example/);
	const done = await browser.submit(consent, "consent");
	const got = await scene.token({
		grant_type: "authorization_code",
		client_id: id,
		code: done.location?.searchParams.get("code") ?? "",
		redirect_uri: callback,
		code_verifier: verifier,
	});
	assert.equal(got.status, 200, JSON.stringify(got.body));
	assert.equal(opened(scene, got.body["access_token"]).claims["client_id"], id);
	assert.deepEqual(asked, [id]);
	assert.deepEqual(
		(await clientsOf(scene).list()).map(({ client_id, source }) => [client_id, source]),
		[[id, "document"]],
	);
});

for (const [what, document, client_id] of [
	["is about another client", answered({ ...described, client_id: `${id}x` }), id],
	["is not there", answered("", 404), id],
	["leads elsewhere", new Error("redirects"), id],
	["is in a private network", new Error("leads into a private network"), id],
	["is no JSON", answered("<html>"), id],
	["is a list", answered([described]), id],
	["is too large", answered({ ...described, padding: "x".repeat(6_000) }), id],
	["wants a shared secret", answered({ ...described, client_secret: "x" }), id],
	["has a host that is not allowed", answered(described), "https://client.test/mcp.json"],
	["has an address with a fragment", answered(described), `${id}#x`],
	["has an address without TLS", answered(described), "http://client.example/mcp.json"],
] as const) {
	test(`a client whose document ${what} is refused on a page`, async (t) => {
		const { fetch } = documentsAt({ [client_id]: document });
		const scene = await startLogin({ client_documents: ["*.example"] }, { fetch });
		t.after(() => scene.close());
		const page = await scene
			.browser()
			.follow(authorization(scene, pkce().challenge, { client_id }));
		assert.equal(page.status, 400);
		assert.match(page.text, /This did not work/);
		assert.equal(page.location, undefined);
	});
}

test("documents in a private network are refused by the guard that is there by default", async (t) => {
	const scene = await startLogin({ client_documents: ["*"] });
	t.after(() => scene.close());
	for (const host of ["127.0.0.1", "localhost", "10.0.0.1", "169.254.169.254", "[::1]", "0x7f.1"]) {
		const client_id = `https://${host}/client.json`;
		const page = await scene
			.browser()
			.follow(authorization(scene, pkce().challenge, { client_id }));
		assert.equal(page.status, 400, host);
	}
});

test("only so many unknown documents are fetched a minute", async (t) => {
	const { asked, fetch } = documentsAt({});
	const scene = await startLogin({ client_documents: ["*"] }, { fetch });
	t.after(() => scene.close());
	const ask = async (client_id: string, address: string) => {
		const target = authorization(scene, pkce().challenge, { client_id });
		await globalThis.fetch(target, { headers: { "x-forwarded-for": address }, redirect: "manual" });
	};
	for (let tries = 0; tries < 40; tries += 1) {
		await ask(`https://c${tries}.example/client.json`, "192.0.2.1");
	}
	assert.equal(asked.length, 30);
	// Whoever asks too often takes nothing from somebody who comes from elsewhere.
	await ask("https://other.example/client.json", "192.0.2.2");
	assert.deepEqual([...new Set(asked.slice(30))], ["https://other.example/client.json"]);
});
