import assert from "node:assert/strict";
import { test } from "node:test";
import { hashApiKey, newApiKey } from "../../src/identity/api-keys.ts";
import { systemRandom } from "../../src/lib/random.ts";
import { startGateway, stdioFixture } from "../support/gateway.ts";

test("a server of which a member may use only resources is known to them", async (t) => {
	const key = newApiKey(systemRandom);
	const gateway = await startGateway({
		servers: { library: { ...stdioFixture("paged"), scope: "shared" } },
		identity: { keys: [{ name: "ana", hash: `sha256:${hashApiKey(key)}` }] },
		policy: [{ tool: "library__*", then: "deny" }],
	});
	t.after(() => gateway.stop());
	const ask = async (path: string, body?: object) => {
		const response = await fetch(`${gateway.url}${path}`, {
			method: body === undefined ? "GET" : "POST",
			headers: { authorization: `Bearer ${key}`, "content-type": "application/json" },
			...(body === undefined ? {} : { body: JSON.stringify(body) }),
		});
		return { status: response.status, text: await response.text() };
	};
	const mine = JSON.parse((await ask("/api/me/servers")).text) as { servers: object[] };
	assert.deepEqual(mine.servers, [
		{ name: "library", url: `${gateway.url}/library/mcp`, tools: [] },
	]);
	assert.equal((await ask("/api/connect?endpoint=library")).status, 200);
	const read = { server: "library", method: "resources/read", params: { uri: "paged://0" } };
	const played = await ask("/api/playground", read);
	assert.equal(played.status, 200, played.text);
	assert.match(played.text, /event: result.*paged/s);
});

test("a server that is hidden from a member is as unknown to them as one that is not there", async (t) => {
	const [member, operator] = [newApiKey(systemRandom), newApiKey(systemRandom)];
	const shared = { ...stdioFixture("echo"), scope: "shared" };
	const gateway = await startGateway({
		servers: { open: shared, payroll: shared },
		identity: {
			keys: [
				{ name: "ana", hash: `sha256:${hashApiKey(member)}` },
				{ name: "olga", hash: `sha256:${hashApiKey(operator)}`, roles: ["operator"] },
			],
		},
		policy: [{ server: "payroll", when: "'operator' in principal.roles", else: "deny" }],
	});
	t.after(() => gateway.stop());
	const ask = async (key: string, method: string, path: string, body?: object) => {
		const response = await fetch(`${gateway.url}${path}`, {
			method,
			headers: { authorization: `Bearer ${key}`, "content-type": "application/json" },
			...(body === undefined ? {} : { body: JSON.stringify(body) }),
		});
		const { status } = response;
		return { status, text: (await response.text()).replaceAll("payroll", "nowhere") };
	};
	const params = { name: "echo", arguments: { text: "x" } };
	const ways: ((name: string) => [string, string, object?])[] = [
		(name) => ["GET", `/api/connect?endpoint=${name}`],
		(server) => ["POST", "/api/playground", { server, method: "tools/call", params }],
		(server) => ["POST", "/api/playground/frames", { server, uri: "ui://x" }],
	];
	for (const way of ways) {
		const hidden = await ask(member, ...way("payroll"));
		assert.equal(hidden.status, 404);
		assert.deepEqual(hidden, await ask(member, ...way("nowhere")));
		assert.notEqual((await ask(operator, ...way("payroll"))).status, 404);
	}
	assert.equal((await ask(member, "GET", "/api/connect?endpoint=open")).status, 200);
	assert.equal((await ask(member, "GET", "/api/connect")).status, 200);
});
