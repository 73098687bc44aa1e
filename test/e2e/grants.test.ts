import assert from "node:assert/strict";
import { readdir, readFile } from "node:fs/promises";
import type { IncomingMessage, ServerResponse } from "node:http";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { hashApiKey, newApiKey } from "../../src/identity/api-keys.ts";
import { systemRandom } from "../../src/lib/random.ts";
import {
	startAuthorizationServer,
	type TestAuthorizationServer,
} from "../support/authorization-server.ts";
import { startGateway, type TestGateway } from "../support/gateway.ts";
import { runCli } from "../support/run-cli.ts";
import { tempFolder } from "../support/temp-folder.ts";
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
	const authorization = await startAuthorizationServer({ mcp: serve });
	const server = { url: `${authorization.issuer}/mcp`, auth: "oauth", start: "on-demand" };
	const people = (["ana", "bob"] as const).map((user) => ({
		name: user,
		hash: `sha256:${hashApiKey(keys[user])}`,
		tenant: "acme",
		user,
	}));
	const config = {
		servers: { accounts: server },
		...(identity && { identity: { keys: people } }),
	};
	const asked: string[] = [];
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
			authorize: (_server, page, _state, { tenant, user }) => {
				asked.push(`${tenant}/${user}`);
				return authorization.authorize(page);
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
	return { authorization, folder, asked, start, stop, call };
}

/** The access tokens are good no more; refresh tokens are. */
function expire(authorization: TestAuthorizationServer): void {
	authorization.access_tokens.clear();
}

test("people use their own accounts, and nobody is asked again after a restart", async (t) => {
	const { authorization, folder, asked, start, call } = await scene(t, true);
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
		assert.equal(await call("ana"), "token 4");
		expire(authorization);
		assert.equal(await call("ana"), "token 5");
		assert.equal(await call("bob"), "token 6");
	});

	await t.test("nobody was asked, and the client registered once", () => {
		assert.deepEqual(asked, ["acme/ana", "acme/bob"]);
		assert.equal(authorization.requests("/register").length, 1);
	});

	await t.test("nothing of it stands in the data folder in clear text", async () => {
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
