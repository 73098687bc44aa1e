import assert from "node:assert/strict";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { readAdminToken } from "../../src/admin/token.ts";
import { hashApiKey, newApiKey } from "../../src/identity/api-keys.ts";
import { systemRandom } from "../../src/lib/random.ts";
import {
	type ConsentingProvider,
	PersonInBrowser,
	startConsentingProvider,
} from "../support/consenting-provider.ts";
import { startGateway, stdioFixture, type TestGateway } from "../support/gateway.ts";
import { type IdentityProvider, startIdentityProvider } from "../support/identity-provider.ts";
import { ModernWire } from "../support/wire-clients.ts";

/*
 * What a person's identity provider says of them is exchanged for tokens of remote servers, and
 * nobody sees a page: for an assertion (ID-JAG) that another gateway's own login takes, and at an
 * authorization server that takes the ID token itself (RFC 8693).
 */

const token_exchange = "urn:ietf:params:oauth:grant-type:token-exchange";

type Person = "ana" | "bob" | "cid" | "dan";
const people: readonly Person[] = ["ana", "bob", "cid", "dan"];
const keys = Object.fromEntries(people.map((user) => [user, newApiKey(systemRandom)])) as Record<
	Person,
	string
>;

let company: IdentityProvider;
let notes: ConsentingProvider;
/** The gateway of somebody else, which takes assertions of the same provider. */
let remote: TestGateway;
let gateway: TestGateway;

/** A gateway has its address only once it runs, and providers want to know it before. */
async function freePort(): Promise<number> {
	const empty = await startGateway({ servers: {} });
	const port = Number(new URL(empty.url).port);
	await empty.stop();
	return port;
}

before(async () => {
	company = await startIdentityProvider();
	notes = await startConsentingProvider(`exchanges=${company.issuer}`);
	const port = await freePort();
	const register = () =>
		company.register({
			redirect_uris: [`http://127.0.0.1:${port}/oauth/login/callback`],
			grant_types: ["authorization_code", token_exchange],
		});
	let moorage = await register();
	// The other gateway takes ids that begin with a letter or a digit; a provider makes others, too.
	while (!/^[A-Za-z0-9]/.test(moorage.client_id)) moorage = await register();
	const provider = {
		name: "company",
		issuer: company.issuer,
		client_id: moorage.client_id,
		scopes: ["openid", "email"],
		tenant: "acme",
		claims: { user: "sub" },
	};
	remote = await startGateway({
		identity: { login: { federated: [{ ...provider, enterprise: true }] } },
		servers: { tools: stdioFixture("echo") },
	});
	const at_remote = await api(remote, "POST", "/api/clients", {
		client_id: moorage.client_id,
		secret: true,
		enterprise: true,
	});
	const at_notes = await notes.register({
		redirect_uris: [],
		response_types: [],
		grant_types: [token_exchange],
	});
	const oauth = { auth: "oauth", start: "on-demand" };
	gateway = await startGateway(
		{
			identity: {
				login: { federated: [{ ...provider, client_secret: "${env:COMPANY_SECRET}" }] },
				keys: people.map((user) => ({
					name: user,
					hash: `sha256:${hashApiKey(keys[user])}`,
					tenant: "acme",
					user,
				})),
			},
			servers: {
				tools: {
					url: remote.address("tools").href,
					...oauth,
					oauth: {
						grant: "id_jag",
						issuer: remote.url,
						client_id: moorage.client_id,
						client_secret: "${env:REMOTE_SECRET}",
					},
				},
				notes: {
					url: `${notes.issuer}/mcp`,
					...oauth,
					oauth: {
						grant: "token_exchange",
						provider: "company",
						issuer: notes.issuer,
						client_id: at_notes.client_id,
						client_secret: "${env:NOTES_SECRET}",
					},
				},
			},
		},
		{
			port,
			drain_ms: 100,
			environment: {
				PATH: process.env["PATH"],
				COMPANY_SECRET: moorage.client_secret,
				REMOTE_SECRET: String(at_remote["client_secret"]),
				NOTES_SECRET: at_notes.client_secret,
			},
		},
	);
});

after(async () => {
	await gateway?.stop();
	await remote?.stop();
	await notes?.stop();
	await company?.stop();
});

async function api(at: TestGateway, method: string, path: string, body?: object) {
	const token = await readAdminToken(at.daemon.plan.data);
	assert.ok(token.ok);
	const response = await fetch(at.url + path, {
		method,
		headers: { authorization: `Bearer ${token.value}`, "content-type": "application/json" },
		...(body === undefined ? {} : { body: JSON.stringify(body) }),
	});
	const text = await response.text();
	assert.ok(response.ok, `${path}: ${text}`);
	return JSON.parse(text) as Record<string, unknown>;
}

async function call(
	person: Person,
	server: "tools" | "notes",
	tool: string,
	json = "{}",
): Promise<string> {
	const client = new ModernWire(gateway.address(server));
	const headers = { authorization: `Bearer ${keys[person]}` };
	const params = `{"name":"${tool}","arguments":${json}}`;
	const reply = await client.ask({ method: "tools/call", params, headers });
	return reply.result?.content?.[0]?.text ?? reply.error?.message;
}

/** Signs somebody in at the gateway by their provider. */
async function signIn(person: Person): Promise<PersonInBrowser> {
	const browser = new PersonInBrowser(gateway.url);
	const door = await browser.open("/sign-in?to=/oauth/connect");
	const [, link = ""] = /href="([^"]*\/sign-in\/with\/company[^"]*)"/.exec(door.text) ?? [];
	const away = await browser.open(link.replaceAll("&amp;", "&"), {}, "/auth");
	assert.equal(away.location?.origin, company.issuer, away.text);
	const page = await browser.open(await company.logIn(away.location, person));
	assert.equal(page.url.pathname, "/oauth/connect", page.text);
	return browser;
}

test("whoever has signed in at their provider uses both servers as themselves, without a page", async () => {
	await signIn("ana");
	assert.equal(await call("ana", "tools", "echo", '{"text":"hello"}'), "hello");
	assert.equal(await call("ana", "notes", "whoami"), "the notes of ana");
	const { users } = (await api(remote, "GET", "/api/users")) as { users: { id: string }[] };
	assert.deepEqual(
		users.map(({ id }) => id),
		["acme/ana"],
		"the other gateway knows her by the assertion",
	);
	assert.equal(await notes.requests("/auth"), 0);
});

test("the token of the client and the identity itself never reach the server", async () => {
	await signIn("ana");
	await call("ana", "notes", "whoami");
	assert.ok((await notes.sent("Bearer")) > 0);
	assert.equal(await notes.sent(keys.ana), 0);
	// What every ID token begins with, as JSON in base64.
	assert.equal(await notes.sent("eyJhbGciOi"), 0);
});

test("somebody who has not signed in is told where, and their call passes once they have", async () => {
	for (const server of ["tools", "notes"] as const) {
		const said = await call("bob", server, server === "tools" ? "echo" : "whoami", '{"text":"hi"}');
		assert.ok(said.includes(`${gateway.url}/sign-in?to=/oauth/connect`), said);
	}
	await signIn("bob");
	assert.equal(await call("bob", "notes", "whoami"), "the notes of bob");
	assert.equal(await call("bob", "tools", "echo", '{"text":"hi"}'), "hi");
});

test("what somebody came with is forgotten when they sign out", async () => {
	const browser = await signIn("cid");
	const { csrf } = JSON.parse((await browser.open("/api/session")).text) as { csrf: string };
	const body = new URLSearchParams({ csrf });
	await browser.open("/sign-in/out", { method: "POST", body });
	assert.match(await call("cid", "notes", "whoami"), /Sign in there: open/);
});

test("what somebody came with is forgotten when they are removed", async () => {
	await signIn("dan");
	await api(gateway, "DELETE", "/api/users/acme/dan");
	assert.match(await call("dan", "notes", "whoami"), /Sign in there: open/);
});

test("an identity is kept sealed, and is redacted", async () => {
	await signIn("ana");
	assert.equal(await call("ana", "notes", "whoami"), "the notes of ana");
	const looksLikeToken = /eyJ[\w-]{10,}\.[\w-]{10,}/;
	assert.doesNotMatch(JSON.stringify(gateway.log.lines), looksLikeToken);
	for (const path of ["/api/status", "/api/grants", "/api/users", "/api/servers/notes/details"]) {
		assert.doesNotMatch(JSON.stringify(await api(gateway, "GET", path)), looksLikeToken);
	}
	const { data } = gateway.daemon.plan;
	const entries = await readdir(data, { recursive: true, withFileTypes: true });
	const files = entries.filter((entry) => entry.isFile());
	assert.ok(files.some(({ name }) => name.startsWith("moorage.db")));
	for (const { parentPath, name } of files) {
		assert.doesNotMatch(await readFile(join(parentPath, name), "latin1"), looksLikeToken, name);
	}
});
