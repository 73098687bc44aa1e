import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { hashApiKey, newApiKey } from "../../src/identity/api-keys.ts";
import { systemRandom } from "../../src/lib/random.ts";
import { adminDone, adminRequest } from "../support/admin-request.ts";
import { sdk_clients } from "../support/clients.ts";
import { startGateway, stdioFixture, type TestGateway } from "../support/gateway.ts";
import { tempFolder } from "../support/temp-folder.ts";

const ana_key = newApiKey(systemRandom);
const bob_key = newApiKey(systemRandom);
const keys = [
	{ name: "ana", hash: `sha256:${hashApiKey(ana_key)}`, tenant: "acme", user: "ana" },
	{ name: "bob", hash: `sha256:${hashApiKey(bob_key)}`, tenant: "other", user: "bob" },
];
const servers = {
	slow: { ...stdioFixture("slow"), tools: { wait: { risk: "read" }, hold: { risk: "visible" } } },
	echo: stdioFixture("sdk-v1-stdio"),
};
const reason = "It does what it should not.";

let gateway: TestGateway;

before(async () => {
	gateway = await startGateway({ servers });
});

after(() => gateway.stop());

const kill = (at: TestGateway, kind: string, name?: string) =>
	adminDone<{ id: string }>(at, "POST", "/api/kill-switches", { kind, name, reason });
const unkill = (at: TestGateway, id: string) =>
	adminDone(at, "DELETE", `/api/kill-switches/${encodeURIComponent(id)}`);

/** What a failed tool call says, and its code. */
function failure(result: unknown): { text: string; code: string } {
	const { isError, content, _meta } = result as {
		isError?: boolean;
		content: { text: string }[];
		_meta?: Record<string, { code: string }>;
	};
	assert.equal(isError, true, JSON.stringify(result));
	return { text: content[0]?.text ?? "", code: _meta?.["dev.moorage/error"]?.code ?? "" };
}

for (const [name, connect] of Object.entries(sdk_clients)) {
	test(`${name}: a call in flight ends with an honest error, and the tool is gone and back`, async () => {
		const client = await connect(gateway.address(), {});
		const held = Promise.withResolvers<void>();
		const call = client.callTool(
			{ name: "slow__hold", arguments: { key: name } },
			...((name.startsWith("SDK 1")
				? [undefined, { onprogress: () => held.resolve() }]
				: [{ onprogress: () => held.resolve() }]) as [never]),
		);
		await held.promise;
		const { id } = await kill(gateway, "tool", "slow__hold");
		assert.equal(id, "tool:slow__hold");
		const ended = failure(await call);
		assert.equal(ended.code, "switched_off");
		assert.ok(ended.text.includes(reason), ended.text);
		assert.match(ended.text, /what its server had done by that time is done/);
		const names = async () => (await client.listTools()).tools.map((tool) => tool.name);
		assert.ok(!(await names()).includes("slow__hold"));
		assert.ok((await names()).includes("slow__wait"));
		const refused = failure(await client.callTool({ name: "slow__hold", arguments: { key: "x" } }));
		assert.equal(refused.code, "switched_off");
		const other = await client.callTool({ name: "slow__wait", arguments: { ms: 0 } });
		assert.notEqual(other.isError, true);
		await unkill(gateway, id);
		assert.ok((await names()).includes("slow__hold"));
		await client.close();
	});
}

test("the server whose call was switched off is told to stop", async () => {
	const client = await sdk_clients["SDK 2.x legacy"](gateway.address("slow"), {});
	const held = Promise.withResolvers<void>();
	const call = client.callTool(
		{ name: "hold", arguments: { key: "told" } },
		{ onprogress: () => held.resolve() },
	);
	await held.promise;
	const { id } = await kill(gateway, "server", "slow");
	assert.equal(failure(await call).code, "switched_off");
	await unkill(gateway, id);
	const { content } = await client.callTool({ name: "cancelled", arguments: { key: "told" } });
	assert.match(JSON.stringify(content), /told/);
	await client.close();
});

test("all of a server is gone while it is off, at the common address and at its own", async () => {
	const client = await sdk_clients["SDK 2.x modern"](gateway.address(), {});
	const own = await sdk_clients["SDK 1.x"](gateway.address("slow"), {});
	const { id } = await kill(gateway, "server", "slow");
	const shown = (await client.listTools()).tools.map((tool) => tool.name);
	assert.ok(shown.length > 0 && shown.every((name) => !name.startsWith("slow__")));
	// At its own address there is nobody else to answer: whoever asks hears why.
	await assert.rejects(own.listTools(), /switched off.*It does what it should not/);
	await unkill(gateway, id);
	assert.ok((await own.listTools()).tools.length > 0);
	await Promise.all([client.close(), own.close()]);
});

test("clients are told that lists changed", async () => {
	const client = await sdk_clients["SDK 1.x"](gateway.address("slow"), {});
	const told = Promise.withResolvers<void>();
	client.fallbackNotificationHandler = async ({ method }) => {
		if (method === "notifications/tools/list_changed") told.resolve();
	};
	// Until the push stream is open nobody can be told, so it is switched until somebody was.
	let id = "";
	for (let heard = false; !heard; ) {
		({ id } = await kill(gateway, "tool", "slow__wait"));
		heard = await Promise.race([told.promise.then(() => true), client.ping().then(() => false)]);
	}
	await unkill(gateway, id);
	await client.close();
});

test("switching all writes off leaves reading, and a switch without need is refused", async () => {
	const client = await sdk_clients["SDK 2.x modern"](gateway.address("slow"), {});
	const { id } = await kill(gateway, "writes");
	const names = (await client.listTools()).tools.map((tool) => tool.name);
	assert.ok(names.includes("wait") && !names.includes("hold"), names.join());
	const read = await client.callTool({ name: "wait", arguments: { ms: 0 } });
	assert.notEqual(read.isError, true);
	const write = failure(await client.callTool({ name: "hold", arguments: { key: "w" } }));
	assert.equal(write.code, "switched_off");
	await unkill(gateway, id);
	const again = await adminRequest(gateway, "DELETE", "/api/kill-switches/writes");
	assert.equal(again.status, 404);
	const wrong = await adminRequest(gateway, "POST", "/api/kill-switches", {
		kind: "server",
		reason,
	});
	assert.equal(wrong.status, 400);
	await client.close();
});

test("people and clients that are switched off are shut out, others are not", async (t) => {
	const guarded = await startGateway({ identity: { keys }, servers });
	t.after(() => guarded.stop());
	const as = (key: string) =>
		fetch(guarded.address(), {
			method: "POST",
			headers: {
				authorization: `Bearer ${key}`,
				"content-type": "application/json",
				accept: "application/json, text/event-stream",
			},
			body: JSON.stringify({
				jsonrpc: "2.0",
				id: 1,
				method: "initialize",
				params: {
					protocolVersion: "2025-11-25",
					capabilities: {},
					clientInfo: { name: "t", version: "1" },
				},
			}),
		});
	const status = async (key: string) => {
		const response = await as(key);
		const text = await response.text();
		if (response.status === 403) assert.match(text, /switched_off/);
		return response.status;
	};
	const opened = await as(ana_key);
	await opened.text();
	const stream = await fetch(guarded.address(), {
		headers: {
			authorization: `Bearer ${ana_key}`,
			accept: "text/event-stream",
			"mcp-session-id": opened.headers.get("mcp-session-id") ?? "",
		},
	});
	assert.equal(stream.status, 200);
	const table = [
		["user", "acme/ana"],
		["tenant", "acme"],
		["client", "key:ana"],
	] as const;
	for (const [kind, name] of table) {
		const { id } = await kill(guarded, kind, name);
		assert.equal(await status(ana_key), 403, kind);
		assert.equal(await status(bob_key), 200, kind);
		await unkill(guarded, id);
		assert.equal(await status(ana_key), 200, kind);
	}
	// The stream that was open when it happened has ended.
	await assert.rejects(stream.text());
	const { id } = await kill(guarded, "all");
	assert.deepEqual([await status(ana_key), await status(bob_key)], [403, 403]);
	await unkill(guarded, id);
});

test("what is switched off stays off over a restart", async (t) => {
	const folder = await tempFolder(t);
	const first = await startGateway({ servers: { slow: servers.slow } }, { folder });
	await kill(first, "tool", "slow__wait");
	await first.stop();
	const second = await startGateway({ servers: { slow: servers.slow } }, { folder });
	t.after(() => second.stop());
	const client = await sdk_clients["SDK 2.x modern"](second.address(), {});
	const refused = failure(await client.callTool({ name: "slow__wait", arguments: { ms: 0 } }));
	assert.equal(refused.code, "switched_off");
	const listed = await adminDone<{ kill_switches: { id: string }[] }>(
		second,
		"GET",
		"/api/kill-switches",
	);
	assert.deepEqual(
		listed.kill_switches.map(({ id }) => id),
		["tool:slow__wait"],
	);
	await client.close();
});
