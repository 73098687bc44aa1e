import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { Json } from "../matrix/peer.ts";
import { startGateway, stdioFixture, type TestGateway } from "../support/gateway.ts";
import { type Parsed, type RawStream, textOf } from "../support/raw-client.ts";
import { ModernWire } from "../support/wire-clients.ts";

/** News of tasks (SEP-2663): who owns a task can listen for it, at every address. */

const capabilities = '{"extensions":{"io.modelcontextprotocol/tasks":{}}}';
const tag = "io.modelcontextprotocol/subscriptionId";
const news = ({ method }: Parsed) => method === "notifications/tasks";

let gateway: TestGateway;

before(async () => {
	gateway = await startGateway({
		servers: {
			one: stdioFixture("jobs", "--era", "modern"),
			two: stdioFixture("jobs", "--era", "modern"),
			plain: stdioFixture("watched", "--era", "modern"),
		},
	});
});

after(() => gateway.stop());

const at = (endpoint = "mcp", can = capabilities) => new ModernWire(gateway.address(endpoint), can);
const actor = (server: string) => at(server);

async function start(client: ModernWire, tool: string, label: string): Promise<string> {
	const { result }: Json = await client.call(tool, JSON.stringify({ label }));
	assert.equal(result.resultType, "task");
	return result.taskId;
}

/** Listens for tasks; what was acknowledged, and the stream. */
async function listen(
	client: ModernWire,
	task_ids: readonly unknown[],
	id = '"my news"',
): Promise<{ accepted: unknown; stream: RawStream }> {
	const params = JSON.stringify({ notifications: { taskIds: task_ids } });
	const stream = await client.open({ method: "subscriptions/listen", id, params });
	const ack = await stream.until(
		({ method }) => method === "notifications/subscriptions/acknowledged",
	);
	return { accepted: ack.params.notifications, stream };
}

for (const [endpoint, prefix] of [
	["one", ""],
	["mcp", "one__"],
] as const) {
	test(`news of a task reaches who listens for it, under its own id, at ${endpoint}`, async () => {
		const client = at(endpoint);
		const mine = await start(client, `${prefix}start`, `mine at ${endpoint}`);
		const other = await start(client, `${prefix}start`, `other at ${endpoint}`);
		const heard = await listen(client, [mine]);
		const bystander = await listen(client, [other], "7");
		assert.deepEqual(heard.accepted, { taskIds: [mine] });
		await actor("one").call("listeners", '{"count":2}');
		await actor("one").call("finish", JSON.stringify({ label: `mine at ${endpoint}` }));
		const { params }: Json = await heard.stream.until(news);
		assert.equal(params.taskId, mine);
		assert.equal(params.status, "completed");
		assert.equal(params.result.content[0].text, `done mine at ${endpoint}`);
		assert.deepEqual(params._meta, { [tag]: "my news" });
		await actor("one").call("finish", JSON.stringify({ label: `other at ${endpoint}` }));
		const { params: later }: Json = await bystander.stream.until(news);
		assert.equal(later.taskId, other);
		assert.deepEqual(later._meta, { [tag]: 7 });
		assert.equal(heard.stream.messages.length, 2, "nothing of the other's task");
		heard.stream.close();
		bystander.stream.close();
		assert.equal(textOf(await actor("one").call("listeners", '{"count":0}')), "0");
	});
}

test("one stream hears of tasks of several servers that call them the same", async () => {
	const client = at();
	const ids = [
		await start(client, "one__start", "twin"),
		await start(client, "two__start", "twin"),
	];
	assert.notEqual(ids[0], ids[1]);
	const { accepted, stream } = await listen(client, ids);
	assert.deepEqual(accepted, { taskIds: ids });
	for (const [index, server] of ["one", "two"].entries()) {
		await actor(server).call("listeners", '{"count":1}');
		await actor(server).call("finish", '{"label":"twin"}');
		const { params }: Json = await stream.until(news);
		assert.equal(params.taskId, ids[index]);
		stream.forget();
	}
	stream.close();
});

test("only tasks that the client owns are listened for, and only where it can have tasks", async () => {
	const mine = await start(at("one"), "start", "guarded");
	const unknown = ["guarded", "one__guarded", `${mine}x`, 7];
	const some = await listen(at("one"), [...unknown, mine]);
	assert.deepEqual(some.accepted, { taskIds: [mine] });
	some.stream.close();
	for (const client of [at("two"), at("plain"), at("one", "{}")]) {
		const { accepted, stream } = await listen(client, [mine]);
		assert.deepEqual(accepted, {});
		stream.close();
	}
});

test("a server that was started anew is asked again for news of the tasks", async () => {
	const client = at("two");
	const mine = await start(client, "start", "lasting");
	const { stream } = await listen(client, [mine]);
	await actor("two").call("listeners", '{"count":1}');
	await actor("two").call("exit");
	assert.equal(textOf(await actor("two").call("listeners", '{"count":1}')), "1");
	await actor("two").call("finish", '{"label":"lasting"}');
	const { params }: Json = await stream.until(news);
	assert.equal(params.taskId, mine);
	stream.close();
});
