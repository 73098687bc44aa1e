import assert from "node:assert/strict";
import { readdir, readFile } from "node:fs/promises";
import type { IncomingMessage, ServerResponse } from "node:http";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { hashApiKey, newApiKey } from "../../src/identity/api-keys.ts";
import { systemRandom } from "../../src/lib/random.ts";
import {
	type Deviations,
	startAuthorizationServer,
	type TestAuthorizationServer,
} from "../support/authorization-server.ts";
import { startGateway, type TestGateway } from "../support/gateway.ts";
import { runCli } from "../support/run-cli.ts";
import { tempFolder } from "../support/temp-folder.ts";
import { until } from "../support/until.ts";
import { ModernWire } from "../support/wire-clients.ts";

/** Who authorized what at remote servers is kept: over restarts, for each person alone. */

type Person = "ana" | "bob";
const keys = { ana: newApiKey(systemRandom), bob: newApiKey(systemRandom) };

const hello = {
	protocolVersion: "2025-11-25",
	capabilities: { tools: {} },
	serverInfo: { name: "accounts", version: "1" },
};
const tools = [{ name: "whoami", inputSchema: { type: "object" } }];

/** A server whose one tool says which token it was called with, by its number. */
function serve(request: IncomingMessage, response: ServerResponse, body: string): void {
	if (request.method !== "POST") {
		response.writeHead(405).end();
		return;
	}
	const { id, method } = JSON.parse(body) as { id?: number; method: string };
	if (id === undefined) {
		response.writeHead(202).end();
		return;
	}
	const text = `token ${request.headers.authorization?.replace("Bearer access-", "")}`;
	const results: Readonly<Record<string, object>> = {
		initialize: hello,
		"tools/list": { tools },
		"tools/call": { content: [{ type: "text", text }] },
	};
	const result = results[method];
	const outcome = result === undefined ? { error: { code: -32601, message: "no" } } : { result };
	response.writeHead(200, { "content-type": "application/json" });
	response.end(JSON.stringify({ jsonrpc: "2.0", id, ...outcome }));
}

/** Gateways one after the other on one folder, in front of one server. */
async function scene(t: TestContext, identity: boolean) {
	const deviations: Deviations = { mcp: serve };
	const authorization = await startAuthorizationServer(deviations);
	const server = { url: `${authorization.issuer}/mcp`, auth: "oauth", start: "on-demand" };
	const people = (["ana", "bob"] as const).map((user) => ({
		name: user,
		hash: `sha256:${hashApiKey(keys[user])}`,
		tenant: "acme",
		user,
		...(user === "ana" && { roles: ["member", "metrics"] }),
	}));
	const config = {
		servers: { accounts: server },
		...(identity && { identity: { keys: people } }),
	};
	const asked: string[] = [];
	/** What people do with a page, where that is not to go on at once. */
	let opened: ((page: URL) => Promise<URL>) | undefined;
	let gateway: TestGateway | undefined;
	t.after(async () => {
		await gateway?.stop();
		await authorization.close();
	});
	const folder = await tempFolder(t);
	const stop = async () => {
		await gateway?.stop();
		gateway = undefined;
	};
	const start = async () => {
		await stop();
		gateway = await startGateway(config, {
			folder,
			drain_ms: 100,
			authorize: (_server, page, _state, { tenant, user }) => {
				asked.push(`${tenant}/${user}`);
				return (opened ?? authorization.authorize)(page);
			},
		});
	};
	await start();
	const call = async (person: Person) => {
		const client = new ModernWire((gateway as TestGateway).address("accounts"));
		const headers = { ...(identity && { authorization: `Bearer ${keys[person]}` }) };
		const params = '{"name":"whoami","arguments":{}}';
		const reply = await client.ask({ method: "tools/call", params, headers });
		return reply.result?.content?.[0]?.text ?? reply.error?.message;
	};
	const scrape = async () => {
		const headers = { ...(identity && { authorization: `Bearer ${keys.ana}` }) };
		return (await fetch(`${gateway?.url}/metrics`, { headers })).text();
	};
	/** From now on whoever is asked has the page open, until the test lets one of them go on. */
	const hold = () => {
		const pages: (() => void)[] = [];
		opened = (page) =>
			new Promise((resolve) => pages.push(() => resolve(authorization.authorize(page))));
		return pages;
	};
	const log = () => (gateway as TestGateway).log.lines;
	return { authorization, deviations, folder, asked, hold, log, start, stop, call, scrape };
}

/** The access tokens are good no more; refresh tokens are. */
function expire(authorization: TestAuthorizationServer): void {
	authorization.access_tokens.clear();
}

test("people use their own accounts, and nobody is asked again after a restart", async (t) => {
	const { authorization, folder, asked, start, stop, call, scrape } = await scene(t, true);
	const renewals = () =>
		authorization
			.requests("/token")
			.filter(({ parameters }) => parameters["grant_type"] === "refresh_token").length;
	let before = 0;
	assert.equal(await call("ana"), "token 1");
	assert.equal(await call("bob"), "token 2");
	assert.equal(await call("ana"), "token 1");
	assert.deepEqual(asked, ["acme/ana", "acme/bob"]);

	await t.test("the tokens are found again", async () => {
		await start();
		assert.equal(await call("bob"), "token 2");
		assert.equal(await call("ana"), "token 1");
	});

	await t.test("a token that has run out meanwhile is renewed", async () => {
		expire(authorization);
		await start();
		assert.equal(await call("ana"), "token 3");
	});

	await t.test("each refresh token is good once: the newest one is what is kept", async () => {
		expire(authorization);
		await start();
		// What the gateway before was comparing in the background may have met the expired token, too.
		before = renewals();
		assert.equal(await call("ana"), "token 4");
		expire(authorization);
		assert.equal(await call("ana"), "token 5");
		assert.equal(await call("bob"), "token 6");
	});

	await t.test("the renewals are counted", async () => {
		const issued = 'moorage_upstream_tokens_total{server="accounts",grant="refresh_token"';
		const seen = renewals() - before;
		assert.ok(seen >= 2);
		assert.ok((await scrape()).includes(`${issued},outcome="issued"} ${seen}\n`));
	});

	await t.test("nobody was asked, and the client registered once", () => {
		assert.deepEqual(asked, ["acme/ana", "acme/bob"]);
		assert.equal(authorization.requests("/register").length, 1);
	});

	await t.test("nothing of it stands in the data folder in clear text", async () => {
		// Files that come and go while it runs cannot be read in peace.
		await stop();
		const data = join(folder, ".moorage");
		for (const entry of await readdir(data, { recursive: true, withFileTypes: true })) {
			if (!entry.isFile()) continue;
			const text = await readFile(join(entry.parentPath, entry.name), "latin1");
			assert.doesNotMatch(text, /(access|refresh)-\d|s3cret/, entry.name);
		}
	});
});

test("what people have authorized is listed without its tokens, and ended", async (t) => {
	const { authorization, folder, asked, call } = await scene(t, true);
	await call("ana");
	await call("bob");
	const run = (...words: string[]) => runCli(["grant", ...words], { cwd: folder });
	const listed = await run("ls");
	assert.equal(listed.code, 0, listed.stderr);
	assert.match(listed.stdout, /acme\/ana +accounts +http[^\n]+\n *acme\/bob +accounts/);
	const json = await run("ls", "--json");
	const { grants } = JSON.parse(json.stdout) as { grants: { issuer: string }[] };
	assert.equal(grants[0]?.issuer, authorization.issuer);
	assert.doesNotMatch(listed.stdout + json.stdout, /(access|refresh)-\d/);

	const ended = await run("revoke", "accounts", "--tenant", "acme", "--user", "ana");
	assert.equal(ended.code, 0, ended.stderr);
	assert.match(ended.stdout, /Ended: acme\/ana at accounts/);
	assert.equal(await call("bob"), "token 2");
	assert.equal(await call("ana"), "token 3");
	assert.deepEqual(asked, ["acme/ana", "acme/bob", "acme/ana"]);

	const none = await run("revoke", "accounts");
	assert.equal(none.code, 1);
	assert.match(none.stderr, /The gateway itself has no authorization/);
	assert.equal((await run("revoke", "accounts", "--user", "ana")).code, 2);
});

test("whoever is removed leaves no authorization to somebody of the same name", async (t) => {
	const { folder, asked, start, stop, call } = await scene(t, true);
	const run = (...words: string[]) => runCli(["user", ...words, "acme/ana"], { cwd: folder });
	for (const is_running of [true, false]) {
		assert.equal((await run("add", "--passwordless")).code, 0);
		assert.match((await call("ana")) ?? "", /^token \d$/);
		if (!is_running) await stop();
		const removed = await run("rm");
		assert.equal(removed.code, 0, removed.stderr);
		if (!is_running) await start();
	}
	await call("ana");
	assert.equal(asked.length, 3);
});

test("the issuers of whoever is removed are told, and who removes them hears whether that worked", async (t) => {
	const { authorization, deviations, folder, call } = await scene(t, true);
	const revocation_endpoint = `${authorization.issuer}/revoke`;
	const run = (...words: string[]) => runCli(["user", ...words], { cwd: folder });
	const remove = async () => {
		assert.equal((await run("add", "acme/ana", "--passwordless")).code, 0);
		assert.match((await call("ana")) ?? "", /^token \d$/);
		return run("rm", "acme/ana");
	};
	deviations.metadata = { revocation_endpoint };
	const told = await remove();
	assert.equal(told.code, 0, told.stderr);
	assert.deepEqual([told.stderr, authorization.refresh_tokens.size], ["", 0]);
	assert.equal(authorization.access_tokens.size, 0);
	deviations.revoke = (response) => void response.writeHead(503).end("out of order");
	const untold = await remove();
	assert.equal(untold.code, 0, untold.stderr);
	assert.match(untold.stderr, /could not be told: end it on its own page as well/);
	delete deviations.metadata;
	assert.match((await remove()).stderr, /cannot be told: end it on its own page as well/);
	assert.equal(await call("ana"), "token 4", "here all of it has ended");
});

test("what ends while no gateway runs is told to its issuer by the next one", async (t) => {
	const { authorization, deviations, folder, start, stop, call } = await scene(t, true);
	deviations.metadata = { revocation_endpoint: `${authorization.issuer}/revoke` };
	const run = (...words: string[]) => runCli(["user", ...words], { cwd: folder });
	assert.equal((await run("add", "acme/ana", "--passwordless")).code, 0);
	assert.equal(await call("ana"), "token 1");
	await stop();
	const removed = await run("rm", "acme/ana", "--json");
	assert.equal(removed.code, 0, removed.stderr);
	assert.match(removed.stderr, /has not been told, because no gateway runs: the next one tells it/);
	const { ended_grants } = JSON.parse(removed.stdout) as { ended_grants: object[] };
	const { issuer } = authorization;
	assert.deepEqual(ended_grants, [{ server: "accounts", issuer, outcome: "queued" }]);
	assert.equal(authorization.refresh_tokens.size, 1);

	await t.test("as often as it takes", async () => {
		deviations.revoke = (response) => void response.writeHead(503).end("out of order");
		await start();
		await until(() => authorization.requests("/revoke").length === 1);
		assert.equal(authorization.refresh_tokens.size, 1);
		delete deviations.revoke;
		await start();
		await until(() => authorization.refresh_tokens.size + authorization.access_tokens.size === 0);
	});

	await t.test("and once", async () => {
		await stop();
		const before = authorization.requests("/revoke").length;
		await start();
		await call("bob");
		assert.equal(authorization.requests("/revoke").length, before);
	});
});

test("issuers are told with the client that stands in the configuration, and with its secret", async (t) => {
	const deviations: Deviations = { mcp: serve };
	const authorization = await startAuthorizationServer(deviations);
	deviations.metadata = { revocation_endpoint: `${authorization.issuer}/revoke` };
	t.after(() => authorization.close());
	const gateway = await startGateway(
		{
			servers: {
				accounts: {
					url: `${authorization.issuer}/mcp`,
					auth: "oauth",
					start: "on-demand",
					oauth: { client_id: "us", client_secret: "${env:CLIENT_SECRET}" },
				},
			},
		},
		{
			environment: { PATH: process.env["PATH"], CLIENT_SECRET: "the-secret-of-us" },
			authorize: (_server, page) => authorization.authorize(page),
		},
	);
	t.after(() => gateway.stop());
	await new ModernWire(gateway.address("accounts")).call("whoami");
	const said = await runCli(["grant", "revoke", "accounts"], { cwd: gateway.folder });
	assert.deepEqual([said.code, said.stderr], [0, ""]);
	const pair = Buffer.from("us:the-secret-of-us").toString("base64");
	const told = authorization.requests("/revoke").map(({ authorization: header }) => header);
	assert.deepEqual(new Set(told), new Set([`Basic ${pair}`]));
});

test("without identity the gateway has one authorization for everybody", async (t) => {
	const { asked, start, call } = await scene(t, false);
	assert.equal(await call("ana"), "token 1");
	await start();
	assert.equal(await call("bob"), "token 1");
	assert.deepEqual(asked, ["/"]);
});

test("an authorization that was taken back is asked for anew, once", async (t) => {
	const { authorization, asked, start, call } = await scene(t, true);
	assert.equal(await call("ana"), "token 1");
	expire(authorization);
	authorization.refresh_tokens.clear();
	await start();
	assert.equal(await call("ana"), "token 2");
	assert.deepEqual(asked, ["acme/ana", "acme/ana"]);
	await start();
	assert.equal(await call("ana"), "token 2");
	assert.equal(asked.length, 2);
});

test("a stop waits for the answer to a refresh token that is good once", async (t) => {
	const { authorization, deviations, asked, log, start, stop, call } = await scene(t, true);
	assert.equal(await call("ana"), "token 1");
	expire(authorization);
	const answer = Promise.withResolvers<void>();
	deviations.answers = answer.promise;
	const refused = call("ana").catch(() => "the gateway was stopped");
	await until(() => authorization.requests("/token").length === 2);
	const lines = log();
	let is_stopped = false;
	const stopped = stop().then(() => {
		is_stopped = true;
	});
	// One that waits says so; one that does not is over before the answer comes.
	await until(() => is_stopped || lines.some(({ message }) => /on their way/.test(message)));
	answer.resolve();
	await Promise.all([stopped, refused]);
	delete deviations.answers;
	await start();
	assert.equal(await call("ana"), "token 2");
	assert.deepEqual(asked, ["acme/ana"]);
	assert.equal(authorization.requests("/token").length, 2);
});

for (const [what, end] of [
	["revoked", ["grant", "revoke", "accounts", "--tenant", "acme", "--user", "ana"]],
	["removed with its person", ["user", "rm", "acme/ana"]],
] as const) {
	test(`what is ${what} while the page is open does not come back with its answer`, async (t) => {
		const { authorization, folder, hold, stop, call } = await scene(t, true);
		const run = (...words: readonly string[]) => runCli([...words], { cwd: folder });
		assert.equal((await run("user", "add", "--passwordless", "acme/ana")).code, 0);
		const pages = hold();
		const waiting = call("ana").catch(() => "the gateway was stopped");
		await until(() => pages.length === 1);
		const ended = await run(...end);
		assert.equal(ended.code, 0, ended.stderr);
		pages[0]?.();
		// The call that waited asks anew: by then what came of the first page is settled.
		await until(() => pages.length === 2);
		const { grants } = JSON.parse((await run("grant", "ls", "--json")).stdout) as { grants: [] };
		assert.deepEqual(grants, []);
		assert.equal(authorization.requests("/token").length, 0);
		await stop();
		await waiting;
	});
}
