import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { MyGrant } from "../../src/admin/contracts/upstream-grants.ts";
import { hashApiKey, newApiKey } from "../../src/identity/api-keys.ts";
import { systemRandom } from "../../src/lib/random.ts";
import {
	type ConsentingProvider,
	PersonInBrowser,
	startConsentingProvider,
} from "../support/consenting-provider.ts";
import { startGateway, type TestGateway } from "../support/gateway.ts";
import { eventually } from "../support/processes.ts";
import { ModernWire } from "../support/wire-clients.ts";

/*
 * Who Moorage is at a service changes while people are connected there: another `client_id`, and
 * back. What was given to one client is never used by the other, and everybody can connect at any
 * time.
 */

type Person = "ana" | "bob";
const keys = { ana: newApiKey(systemRandom), bob: newApiKey(systemRandom) };

let provider: ConsentingProvider;
let gateway: TestGateway;
let clients: readonly { readonly client_id: string; readonly client_secret: string }[];

function config(at: 0 | 1) {
	const entry = (user: Person) => ({
		name: user,
		hash: `sha256:${hashApiKey(keys[user])}`,
		tenant: "acme",
		user,
	});
	return {
		identity: { keys: [entry("ana"), entry("bob")] },
		servers: {
			notes: {
				// Where it is may be a value, too.
				url: "${env:NOTES_URL}",
				auth: "oauth",
				start: "on-demand",
				oauth: { client_id: clients[at]?.client_id, client_secret: `\${env:SECRET_${at}}` },
			},
		},
	};
}

before(async () => {
	provider = await startConsentingProvider();
	const empty = await startGateway({ servers: {} });
	const port = Number(new URL(empty.url).port);
	await empty.stop();
	const redirect_uris = [`http://127.0.0.1:${port}/oauth/callback`];
	const grant_types = ["authorization_code", "refresh_token"];
	clients = await Promise.all([1, 2].map(() => provider.register({ redirect_uris, grant_types })));
	gateway = await startGateway(config(0), {
		port,
		drain_ms: 100,
		environment: {
			PATH: process.env["PATH"],
			NOTES_URL: `${provider.issuer}/mcp`,
			SECRET_0: clients[0]?.client_secret,
			SECRET_1: clients[1]?.client_secret,
		},
	});
});

after(async () => {
	await gateway?.stop();
	await provider?.stop();
});

async function api(person: Person, method: string, path: string) {
	const headers = { authorization: `Bearer ${keys[person]}` };
	const answer = await fetch(`${gateway.url}${path}`, { method, headers });
	return (await answer.json()) as { grants: MyGrant[]; url: string; issuers: object[] };
}

async function isConnected(person: Person): Promise<boolean | undefined> {
	const { grants } = await api(person, "GET", "/api/me/grants");
	return grants.find(({ server }) => server === "notes")?.connected;
}

async function call(person: Person): Promise<string> {
	const client = new ModernWire(gateway.address("notes"));
	const headers = { authorization: `Bearer ${keys[person]}` };
	const params = '{"name":"whoami","arguments":{}}';
	const reply = await client.ask({ method: "tools/call", params, headers });
	return reply.result?.content?.[0]?.text ?? reply.error?.message;
}

/** Goes to our page as far as the issuer's own: that names the client that asks. */
async function begin(person: Person) {
	const browser = new PersonInBrowser(gateway.url);
	const { url } = await api(person, "POST", "/api/me/grants/notes");
	const page = await browser.signIn(url, keys[person]);
	const address = new URL(await browser.leave(page));
	return { browser, address, client_id: address.searchParams.get("client_id") };
}

async function connect(person: Person, account = `${person}-there`): Promise<string> {
	const { browser, address, client_id } = await begin(person);
	const done = await browser.answer(await browser.open(address), { account });
	assert.equal(done.status, 200, done.text);
	return client_id ?? "";
}

async function use(at: 0 | 1): Promise<void> {
	const reloaded = await gateway.reconfigure(config(at));
	assert.ok(reloaded.ok, JSON.stringify(reloaded));
}

test("another client asks anew, and gets a grant of its own", async () => {
	assert.equal(await connect("ana"), clients[0]?.client_id);
	assert.equal(await call("ana"), "the notes of ana-there");
	await use(1);
	assert.equal(await isConnected("ana"), false);
	assert.match(await call("ana"), /\/oauth\/connect\/notes/);
	assert.equal(await connect("ana"), clients[1]?.client_id);
	assert.equal(await call("ana"), "the notes of ana-there");
	assert.equal(await isConnected("ana"), true);
});

test("a page that is open while the client changes is withdrawn, and the next asks for the new one", async () => {
	await use(0);
	const before = await begin("bob");
	assert.equal(before.client_id, clients[0]?.client_id);
	await use(1);
	const next = await begin("bob");
	assert.equal(next.client_id, clients[1]?.client_id);
	const done = await next.browser.answer(await next.browser.open(next.address), {
		account: "bob-there",
	});
	assert.equal(done.status, 200, done.text);
	assert.equal(await call("bob"), "the notes of bob-there");
});

test("back at the client of before, everybody connects, calls and ends as ever", async () => {
	for (const at of [0, 1, 0] as const) {
		await use(at);
		for (const person of ["ana", "bob"] as const) {
			await api(person, "DELETE", "/api/me/grants/notes");
			assert.match(await call(person), /\/oauth\/connect\/notes/);
			assert.equal(await connect(person), clients[at]?.client_id);
			assert.equal(await call(person), `the notes of ${person}-there`);
			assert.equal(await isConnected(person), true);
		}
	}
});

test("what was given to the client of before is ended with what the new one has", async () => {
	await use(0);
	await api("ana", "DELETE", "/api/me/grants/notes");
	await connect("ana", "ana-elsewhere");
	assert.ok((await provider.tokensOf("ana-elsewhere")) > 0);
	await use(1);
	await connect("ana", "ana-elsewhere");
	const { issuers } = await api("ana", "DELETE", "/api/me/grants/notes");
	assert.deepEqual(issuers, [{ issuer: provider.issuer, outcome: "revoked" }]);
	await eventually(
		() => provider.tokensOf("ana-elsewhere"),
		(count) => count === 0,
	);
});
