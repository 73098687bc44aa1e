import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { type TestContext, test } from "node:test";
import { FakeClock } from "../../test/support/fake-clock.ts";
import { fail, succeed } from "../lib/result.ts";
import { KvVault } from "./kv-vault.ts";
import { SecretRedactor } from "./redactor.ts";

/** Answers as the documentation of the KV engine of version 2 has them. */
const answers: Readonly<Record<string, readonly [status: number, body: string]>> = {
	"/v1/secret/data/github": [
		200,
		JSON.stringify({
			request_id: "d7e5cbf4",
			lease_id: "",
			renewable: false,
			lease_duration: 0,
			data: {
				data: { token: "first-v4lue", port: 8080, nested: { a: 1 } },
				metadata: {
					created_time: "2026-03-22T02:24:06.945319214Z",
					custom_metadata: null,
					deletion_time: "",
					destroyed: false,
					version: 2,
				},
			},
			wrap_info: null,
			warnings: null,
			auth: null,
		}),
	],
	"/v1/team/data/a%20b/c": [200, JSON.stringify({ data: { data: { x: "deep" } } })],
	"/v1/secret/data/deleted": [
		404,
		JSON.stringify({ data: { data: null, metadata: { deletion_time: "2026-01-01T00:00:00Z" } } }),
	],
	"/v1/secret/data/emptied": [200, JSON.stringify({ data: { data: null, metadata: {} } })],
	"/v1/secret/data/none": [404, JSON.stringify({ errors: [] })],
	"/v1/secret/data/forbidden": [
		403,
		JSON.stringify({ errors: ["1 error occurred:\n\t* permission denied\n\n"] }),
	],
	"/v1/secret/data/sealed": [503, JSON.stringify({ errors: ["Vault is sealed"] })],
	"/v1/secret/data/broken": [500, JSON.stringify({ errors: ["internal error"] })],
	"/v1/secret/data/standby": [307, ""],
	"/v1/secret/data/html": [200, "<html>a login page</html>"],
	"/v1/secret/data/v1engine": [200, JSON.stringify({ data: { token: "x" } })],
	"/v1/secret/data/list": [200, JSON.stringify({ data: { data: ["x"] } })],
	"/v1/secret/data/huge": [200, JSON.stringify({ data: { data: { x: "y".repeat(2_000_000) } } })],
	"/v1/secret/data/long": [200, JSON.stringify({ data: { data: { x: "y".repeat(100_000) } } })],
};

async function house(context: TestContext) {
	const seen: IncomingMessage[] = [];
	const server = createServer((request, response) => {
		seen.push(request);
		const [status, body] = answers[request.url ?? ""] ?? [404, '{"errors":[]}'];
		response.writeHead(status, { "content-type": "application/json", location: "/elsewhere" });
		response.end(body);
	});
	server.listen(0, "127.0.0.1");
	await once(server, "listening");
	const { port } = server.address() as AddressInfo;
	const clock = new FakeClock();
	const redactor = new SecretRedactor();
	const vault = new KvVault({
		address: `http://127.0.0.1:${port}/`,
		namespace: "team-a",
		token: () => Promise.resolve(succeed("hvs.the-token-of-moorage")),
		clock,
		redactor,
		keep_ms: 1000,
	});
	context.after(async () => {
		await vault.close();
		server.closeAllConnections();
		server.close();
	});
	return { vault, seen, clock, redactor, server };
}

test("a field of the newest version is the value, asked for with token and namespace", async (context) => {
	const { vault, seen, redactor } = await house(context);
	assert.deepEqual(await vault.get("secret/github#token"), succeed("first-v4lue"));
	assert.deepEqual(await vault.get("secret/github#port"), succeed("8080"));
	assert.deepEqual(await vault.get("secret/github#nested"), succeed('{"a":1}'));
	assert.deepEqual(await vault.get("team/a b/c#x"), succeed("deep"));
	assert.equal(seen[0]?.headers["x-vault-token"], "hvs.the-token-of-moorage");
	assert.equal(seen[0]?.headers["x-vault-namespace"], "team-a");
	assert.equal(seen[0]?.headers["x-vault-request"], "true");
	assert.equal(seen.length, 2);
	assert.equal(redactor.text("hvs.the-token-of-moorage").includes("moorage"), false);
});

test("an answer is used for a while, then asked for again", async (context) => {
	const { vault, seen, clock } = await house(context);
	await Promise.all([vault.get("secret/github#token"), vault.get("secret/github#port")]);
	await clock.advance(999);
	await vault.get("secret/github#token");
	assert.equal(seen.length, 1);
	await clock.advance(1);
	await vault.get("secret/github#token");
	assert.equal(seen.length, 2);
});

for (const [place, message] of [
	["secret/github#absent", /no field `absent`/],
	["secret/github#toString", /no field/],
	["secret/deleted#x", /deleted/],
	["secret/emptied#x", /deleted/],
	["secret/none#x", /no secret/],
	["secret/forbidden#x", /does not let this token/],
	["secret/sealed#x", /sealed/],
	["secret/broken#x", /answered with 500/],
	["secret/standby#x", /redirects/],
	["secret/html#x", /no secret of a KV engine/],
	["secret/v1engine#x", /no secret of a KV engine/],
	["secret/list#x", /no secret of a KV engine/],
	["secret/huge#x", /no secret of a KV engine/],
	["secret/long#x", /more than 65536 bytes/],
] as const) {
	test(`${place} is refused: ${String(message)}`, async (context) => {
		const { vault } = await house(context);
		const refused = await vault.get(place);
		assert.ok(!refused.ok);
		assert.match(refused.problem.message, message);
		assert.notEqual(refused.problem.next, "");
		assert.doesNotMatch(JSON.stringify(refused), /first-v4lue|hvs\./);
	});
}

test("a failure is not kept: the next one asks again", async (context) => {
	const { vault, seen } = await house(context);
	await vault.get("secret/none#x");
	await vault.get("secret/none#x");
	assert.equal(seen.length, 2);
});

test("a vault that is down, or a token that cannot be had, fails with what to do", async (context) => {
	const { vault, server } = await house(context);
	server.closeAllConnections();
	await new Promise((resolve) => server.close(resolve));
	const down = await vault.get("secret/github#token");
	assert.ok(!down.ok);
	assert.match(down.problem.message, /cannot be reached/);
	const without = new KvVault({
		address: "http://127.0.0.1:9",
		namespace: undefined,
		token: () => Promise.resolve(fail({ message: "There is no token.", next: "Set it." })),
		clock: new FakeClock(),
		redactor: new SecretRedactor(),
		keep_ms: 1,
	});
	context.after(() => without.close());
	assert.deepEqual(
		await without.get("a/b#c"),
		fail({ message: "There is no token.", next: "Set it." }),
	);
});
