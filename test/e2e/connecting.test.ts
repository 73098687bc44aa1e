import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { after, before, beforeEach, test } from "node:test";
import {
	ElicitRequestSchema,
	UrlElicitationRequiredError,
} from "@modelcontextprotocol/sdk/types.js";
import type { MyGrant } from "../../src/admin/contracts/upstream-grants.ts";
import { hashApiKey, newApiKey } from "../../src/identity/api-keys.ts";
import { systemRandom } from "../../src/lib/random.ts";
import { connectV1, sdk_clients } from "../support/clients.ts";
import {
	type ConsentingProvider,
	PersonInBrowser,
	startConsentingProvider,
} from "../support/consenting-provider.ts";
import { startGateway, stdioFixture, type TestGateway } from "../support/gateway.ts";
import { eventually } from "../support/processes.ts";
import { runCli } from "../support/run-cli.ts";
import { ModernWire } from "../support/wire-clients.ts";

/** People connect their own accounts at a service that has real logins, and call it with them. */

type Person = "ana" | "bob" | "olga";
const keys = {
	ana: newApiKey(systemRandom),
	bob: newApiKey(systemRandom),
	olga: newApiKey(systemRandom),
};

let provider: ConsentingProvider;
let gateway: TestGateway;

before(async () => {
	provider = await startConsentingProvider();
	const entry = (user: Person, role: string) => ({
		name: user,
		hash: `sha256:${hashApiKey(keys[user])}`,
		tenant: "acme",
		user,
		roles: [role],
	});
	const url = `${provider.issuer}/mcp`;
	gateway = await startGateway(
		{
			identity: {
				keys: [entry("ana", "member"), entry("bob", "member"), entry("olga", "operator")],
			},
			servers: {
				notes: { url, auth: "oauth", scope: "user", start: "on-demand" },
				team: {
					url,
					auth: "oauth",
					scope: "shared",
					start: "on-demand",
					oauth: { account: "shared" },
				},
				echo: stdioFixture("echo"),
			},
		},
		{ drain_ms: 100 },
	);
});

after(async () => {
	await gateway.stop();
	await provider.stop();
});

beforeEach(async () => {
	for (const person of ["ana", "bob"] as const) await api(person, "DELETE", "/api/me/grants/notes");
});

/** What the API answers, whatever it was asked. */
interface ApiAnswer {
	readonly grants: MyGrant[];
	readonly url: string;
	readonly detail: string;
	readonly issuers: unknown;
}

/** Asks the API as somebody. */
async function api(person: Person, method: string, path: string) {
	const headers = { authorization: `Bearer ${keys[person]}` };
	const answer = await fetch(`${gateway.url}${path}`, { method, headers });
	return { status: answer.status, body: (await answer.json()) as ApiAnswer };
}

async function grantsOf(person: Person): Promise<MyGrant[]> {
	return (await api(person, "GET", "/api/me/grants")).body.grants;
}

/** The page on which somebody connects, as the API tells it. */
async function pageFor(person: Person, server = "notes"): Promise<string> {
	const begun = await api(person, "POST", `/api/me/grants/${server}`);
	assert.equal(begun.status, 200, JSON.stringify(begun.body));
	return begun.body.url;
}

/** Calls as a client that cannot be asked: what it says, or the error. */
async function call(person: Person, server = "notes"): Promise<string> {
	const client = new ModernWire(gateway.address(server));
	const headers = { authorization: `Bearer ${keys[person]}` };
	const params = '{"name":"whoami","arguments":{}}';
	const reply = await client.ask({ method: "tools/call", params, headers });
	return reply.result?.content?.[0]?.text ?? reply.error?.message;
}

test("two people connect their own accounts, and get their own notes through one server", async () => {
	assert.deepEqual(await grantsOf("ana"), [
		{ server: "notes", connectable: true, used_by: "you", connected: false },
	]);
	const [ana, bob] = [new PersonInBrowser(gateway.url), new PersonInBrowser(gateway.url)];
	const done = await ana.connect(await pageFor("ana"), keys.ana, "ana-there");
	assert.equal(done.status, 200, done.text);
	assert.match(done.text, /notes is connected/);
	await bob.connect(await pageFor("bob"), keys.bob, "bob-there");
	assert.equal(await call("ana"), "the notes of ana-there");
	assert.equal(await call("bob"), "the notes of bob-there");
	const [mine] = await grantsOf("ana");
	assert.equal(mine?.connected, true);
	assert.equal(mine?.issuer, provider.issuer);
	assert.doesNotMatch(JSON.stringify(mine), /token/);

	assert.ok((await provider.tokensOf("ana-there")) > 0);
	const ended = await api("ana", "DELETE", "/api/me/grants/notes");
	assert.equal(ended.status, 200);
	assert.deepEqual(ended.body.issuers, [{ issuer: provider.issuer, outcome: "revoked" }]);
	assert.equal(await provider.tokensOf("ana-there"), 0, "the issuer has been told");
	assert.ok((await provider.tokensOf("bob-there")) > 0);
	assert.match(await call("ana"), /wants authorization/);
	assert.equal(await call("bob"), "the notes of bob-there");
});

test("a page says who asks for what, to whoever is signed in, and goes on with a click only", async () => {
	const person = new PersonInBrowser(gateway.url);
	const address = await pageFor("ana");
	const door = await person.open(address);
	assert.equal(door.status, 401);
	assert.ok(!door.text.includes(provider.issuer), "nothing is told to nobody");
	assert.equal((await person.answer(door, { credential: "wrong" })).status, 401);
	const page = await person.answer(door, { credential: keys.ana });
	assert.equal(page.status, 200);
	for (const text of ["notes", provider.issuer, "notes.read", "acme/ana"]) {
		assert.ok(page.text.includes(text), text);
	}
	assert.match(page.headers.get("content-security-policy") ?? "", /frame-ancestors 'none'/);
	const asked = await provider.requests("/auth");
	const forged = await person.answer(page, { csrf: "guessed" });
	assert.equal(forged.status, 403);
	const unseen = await person.answer(page, { seen: "something else" });
	assert.match(unseen.text, /has changed meanwhile/);
	assert.equal(await provider.requests("/auth"), asked);
	const issuer_page = await person.agree(page);
	assert.equal(issuer_page.url.origin, provider.issuer);
});

test("a link that was made for somebody else leads nowhere", async () => {
	const bob = new PersonInBrowser(gateway.url);
	const page = await bob.signIn(await pageFor("ana"), keys.bob);
	assert.equal(page.status, 403);
	assert.match(page.text, /made for somebody else/);
	assert.ok(!page.text.includes(provider.issuer));
});

test("only the browser of whoever began brings the answer, and a wrong one does not use it up", async () => {
	const [ana, bob] = [new PersonInBrowser(gateway.url), new PersonInBrowser(gateway.url)];
	await bob.signIn(await pageFor("bob"), keys.bob);
	const at_issuer = await ana.agree(await ana.signIn(await pageFor("ana"), keys.ana));
	const back = await ana.answer(at_issuer, { account: "ana-there" }, "/oauth/callback");
	assert.ok(back.location !== undefined, back.text);
	for (const other of [bob, new PersonInBrowser(gateway.url)]) {
		const refused = await other.open(back.location);
		assert.equal(refused.status, 403, refused.text);
	}
	assert.equal((await grantsOf("ana"))[0]?.connected, false);
	assert.equal((await ana.open(back.location)).status, 200);
	assert.equal(await call("ana"), "the notes of ana-there");
	assert.equal((await ana.open(back.location)).status, 404, "an answer is good once");
});

test("whoever is sent the issuer's page by somebody else connects nothing of theirs", async () => {
	const [ana, bob] = [new PersonInBrowser(gateway.url), new PersonInBrowser(gateway.url)];
	await bob.signIn(await pageFor("bob"), keys.bob);
	const address = await ana.leave(await ana.signIn(await pageFor("ana"), keys.ana));
	const refused = await bob.answer(await bob.open(address), { account: "bob-there" });
	assert.equal(refused.status, 403, refused.text);
	for (const person of ["ana", "bob"] as const) {
		assert.equal((await grantsOf(person))[0]?.connected, false, person);
	}
});

test("whoever says no at the issuer is told so, and may try again", async () => {
	const ana = new PersonInBrowser(gateway.url);
	const refused = await ana.connect(await pageFor("ana"), keys.ana, "nobody");
	assert.equal(refused.status, 502);
	assert.match(refused.text, /did not give the authorization/);
	const again = /href="(\/oauth\/connect\/notes)"/.exec(refused.text)?.[1] ?? "";
	const done = await ana.answer(await ana.agree(await ana.open(gateway.url + again)), {
		account: "ana-there",
	});
	assert.equal(done.status, 200, done.text);
});

test("people connect, list and end their own accounts on the command line, too", async () => {
	const run = (person: Person, ...words: string[]) =>
		runCli(["grant", ...words], {
			cwd: gateway.folder,
			environment: { MOORAGE_KEY: keys[person] },
		});
	const begun = await run("ana", "connect", "notes");
	assert.equal(begun.code, 0, begun.stderr);
	assert.match(begun.stdout, /^http\S+\/oauth\/connect\/notes\?for=\S+\n$/);
	const none = await run("ana", "ls", "--mine");
	assert.match(none.stdout, /\n?notes +you +no +- +-\n/);
	await new PersonInBrowser(gateway.url).connect(begun.stdout.trim(), keys.ana, "ana-there");
	const listed = await run("ana", "ls", "--mine");
	assert.match(listed.stdout, /notes +you +\d{4}-\d\d-\d\d \d\d:\d\d +http\S+ +notes\.read/);
	assert.match((await run("bob", "ls", "--mine")).stdout, /notes +you +no/);
	const not_hers = await run("ana", "ls");
	assert.equal(not_hers.code, 0, "without --mine it is whoever holds the data folder");
	const refused = await run("ana", "revoke", "notes", "--mine", "--user", "bob");
	assert.equal(refused.code, 2, refused.stderr);
	const ended = await run("ana", "revoke", "notes", "--mine");
	assert.equal(ended.code, 0, ended.stderr);
	assert.match(ended.stdout, /Ended: acme\/ana at notes/);
	assert.equal(await provider.tokensOf("ana-there"), 0);
	const again = await run("ana", "revoke", "notes", "--mine");
	assert.equal(again.code, 1);
	assert.match((await run("ana", "connect", "absent")).stderr, /Nothing is to be connected/);
});

test("what everybody uses is connected by an operator alone", async () => {
	const member = new PersonInBrowser(gateway.url);
	const refused = await api("ana", "POST", "/api/me/grants/team");
	assert.equal(refused.status, 403);
	assert.match(refused.body.detail, /used for everybody/);
	const page = await member.signIn(`${gateway.url}/oauth/connect/team`, keys.ana);
	assert.equal(page.status, 403);
	assert.equal((await api("ana", "DELETE", "/api/me/grants/team")).status, 404);
	const operator = new PersonInBrowser(gateway.url);
	await operator.connect(await pageFor("olga", "team"), keys.olga, "the-team");
	assert.equal(await call("ana", "team"), "the notes of the-team");
	assert.equal((await api("olga", "DELETE", "/api/me/grants/team")).status, 200);
});

test("a call of somebody who has nothing connected names our page, at once, and never the issuer's", async () => {
	const said = await call("ana");
	const page = /http[^\s,]+\/oauth\/connect\/notes\?for=[\w-]+/.exec(said)?.[0];
	assert.ok(page !== undefined, said);
	assert.ok(!said.includes(`${provider.issuer}/auth`), said);
	const lines = JSON.stringify(gateway.log.lines);
	assert.ok(lines.includes(page), "the log names it too");
	assert.ok(!lines.includes(`${provider.issuer}/auth`));
	await new PersonInBrowser(gateway.url).connect(page, keys.ana, "ana-there");
	assert.equal(await call("ana"), "the notes of ana-there");
});

/** The part of both SDKs' clients that answers questions; their types have nothing in common. */
interface Answering {
	setRequestHandler(key: unknown, handler: (request: { params: never }) => unknown): void;
}

for (const [name, connect] of Object.entries(sdk_clients)) {
	test(`${name}: a call sends its person to our page, and passes once they have connected`, async () => {
		const headers = { authorization: `Bearer ${keys.ana}` };
		const client = await connect(gateway.address("notes"), { elicitation: { url: {} } }, headers);
		const seen: { mode?: string; url: string }[] = [];
		const key = connect === connectV1 ? ElicitRequestSchema : "elicitation/create";
		const finished: Promise<unknown>[] = [];
		(client as unknown as Answering).setRequestHandler(key, ({ params }) => {
			seen.push(params);
			const { url } = params as { url: string };
			// They say that they go there, and then they do.
			finished.push(new PersonInBrowser(gateway.url).connect(url, keys.ana, "ana-there"));
			return { action: "accept" };
		});
		const result = await client.callTool({ name: "whoami", arguments: {} });
		assert.deepEqual(result.content, [{ type: "text", text: "the notes of ana-there" }]);
		assert.equal(seen.length, 1);
		assert.equal(seen[0]?.mode, "url");
		assert.match(seen[0]?.url ?? "", /\/oauth\/connect\/notes\?for=/);
		await Promise.all(finished);
		await client.close();
	});

	test(`${name}: whoever does not want to connect is told what to do instead`, async () => {
		const headers = { authorization: `Bearer ${keys.bob}` };
		const client = await connect(gateway.address("notes"), { elicitation: { url: {} } }, headers);
		const key = connect === connectV1 ? ElicitRequestSchema : "elicitation/create";
		(client as unknown as Answering).setRequestHandler(key, () => ({ action: "decline" }));
		const said = await client
			.callTool({ name: "whoami", arguments: {} })
			.then((result) => JSON.stringify(result.content), String);
		assert.match(said, /\/oauth\/connect\/notes\?for=/);
		await client.close();
	});
}

test("a list sends the client of somebody who has nothing connected to our page first", async () => {
	const headers = { authorization: `Bearer ${keys.ana}` };
	const client = await connectV1(gateway.address("notes"), { elicitation: { url: {} } }, headers);
	const refused = await client.listTools().catch((error: unknown) => error);
	assert.ok(refused instanceof UrlElicitationRequiredError, String(refused));
	const [asked] = refused.elicitations;
	assert.equal(asked?.mode, "url");
	assert.match(asked?.url ?? "", /\/oauth\/connect\/notes\?for=/);
	await new PersonInBrowser(gateway.url).connect(asked?.url ?? "", keys.ana, "ana-there");
	const { tools } = await client.listTools();
	assert.deepEqual(
		tools.map(({ name }) => name),
		["whoami"],
	);
	await client.close();
});

for (const [name, connect] of Object.entries(sdk_clients)) {
	test(`${name}: a list that can show nobody a page says where it is`, async () => {
		const headers = { authorization: `Bearer ${keys.bob}` };
		const client = await connect(gateway.address("notes"), {}, headers);
		const refused = await client.listTools().catch((error: unknown) => error);
		assert.match(String(refused), /\/oauth\/connect\/notes\?for=/);
		assert.doesNotMatch(JSON.stringify(refused), /-32042/);
		await client.close();
	});
}

test("a list of several servers has what can be had, and names the page for the rest", async (t) => {
	const entry = {
		name: "bob",
		hash: `sha256:${hashApiKey(keys.bob)}`,
		tenant: "acme",
		user: "bob",
	};
	const notes = { url: `${provider.issuer}/mcp`, auth: "oauth", start: "on-demand" };
	const unmet = await startGateway(
		{ identity: { keys: [entry] }, servers: { notes, echo: stdioFixture("echo") } },
		{ drain_ms: 100 },
	);
	t.after(() => unmet.stop());
	const headers = { authorization: `Bearer ${keys.bob}` };
	for (const [name, connect] of Object.entries(sdk_clients)) {
		const client = await connect(unmet.address(), { elicitation: { url: {} } }, headers);
		const { tools, _meta = {} } = await client.listTools();
		assert.deepEqual(
			tools.map((tool) => tool.name),
			["echo__echo"],
			name,
		);
		const said = JSON.stringify(_meta);
		assert.match(said, /"server":"notes"/);
		assert.match(said, /\/oauth\/connect\/notes\?for=/);
		await client.close();
	}
});

test("without identity whoever has the admin token connects the gateway's own account", async (t) => {
	const alone = await startGateway(
		{ servers: { notes: { url: `${provider.issuer}/mcp`, auth: "oauth", start: "on-demand" } } },
		{ drain_ms: 100 },
	);
	t.after(() => alone.stop());
	const { admin_token_path } = alone.daemon;
	const token = (await readFile(admin_token_path, "utf8")).trim();
	const person = new PersonInBrowser(alone.url);
	const done = await person.connect(`${alone.url}/oauth/connect/notes`, token, "the-account");
	assert.equal(done.status, 200, done.text);
	const client = new ModernWire(alone.address("notes"));
	const reply = await eventually(
		() => client.call("whoami"),
		({ result }) => result !== undefined,
	);
	assert.equal(reply.result?.content?.[0]?.text, "the notes of the-account");
});
