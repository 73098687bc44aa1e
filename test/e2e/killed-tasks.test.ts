import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { Json } from "../matrix/peer.ts";
import { adminDone } from "../support/admin-request.ts";
import { startGateway, stdioFixture, type TestGateway } from "../support/gateway.ts";
import { openWire, type WireClient } from "../support/wire-clients.ts";

/** Off switches and tasks, which go on after the calls that made them were answered. */

const eras = ["legacy", "modern"] as const;
type Era = (typeof eras)[number];
const declared = '{"extensions":{"io.modelcontextprotocol/tasks":{}}}';
const reason = "It does what it should not.";

let gateway: TestGateway;

before(async () => {
	const tools = {
		begin: { risk: "visible" },
		begin_other: { risk: "read" },
		cancelled: { risk: "read" },
	};
	const lasting = (era: Era) => ({
		...stdioFixture("lasting", "--era", era),
		sandbox: "off",
		tools,
	});
	gateway = await startGateway({
		servers: { legacy: lasting("legacy"), modern: lasting("modern") },
	});
});

after(() => gateway.stop());

/** Switches something off, and on again when that is done. */
async function whileOff(kind: string, name: string | undefined, work: () => Promise<void>) {
	const body = { kind, name, reason };
	const { id } = await adminDone<{ id: string }>(gateway, "POST", "/api/kill-switches", body);
	await work();
	await adminDone(gateway, "DELETE", `/api/kill-switches/${encodeURIComponent(id)}`);
}

/** Makes a task; its id as the client knows it. */
async function begin(client: WireClient, label: string, tool = "begin"): Promise<string> {
	const task = client.era === "legacy" ? ',"task":{"ttl":600000}' : "";
	const params = `{"name":"${tool}","arguments":{"label":"${label}"}${task}}`;
	const { result }: Json = await client.ask({ method: "tools/call", params });
	return client.era === "legacy" ? result.task.taskId : result.taskId;
}

async function statusOf(client: WireClient, task_id: string): Promise<string> {
	const params = JSON.stringify({ taskId: task_id });
	const headers = { "mcp-name": task_id };
	const { result, error }: Json = await client.ask({ method: "tasks/get", params, headers });
	return result?.status ?? error.data?.code ?? error.message;
}

/** Labels of the tasks that a server was told to cancel, once there are so many. */
async function cancelledAt(client: WireClient, count: number): Promise<string> {
	const { result }: Json = await client.call("cancelled", `{"count":${count}}`);
	return result.content[0].text;
}

for (const era of eras) {
	test(`${era}: a switch cancels at their server the tasks of what it is about, and no others`, async () => {
		const client = await openWire(era, gateway.address(era), declared);
		const first = await begin(client, "first");
		const other = await begin(client, "other", "begin_other");
		await whileOff("tool", `${era}__begin`, async () => {
			assert.equal(await cancelledAt(client, 1), "first");
			assert.equal(await statusOf(client, first), "cancelled");
			assert.equal(await statusOf(client, other), "working");
		});
		const second = await begin(client, "second");
		await whileOff("writes", undefined, async () => {
			assert.equal(await cancelledAt(client, 2), "first,second");
			assert.equal(await statusOf(client, second), "cancelled");
			assert.equal(await statusOf(client, other), "working");
		});
		const third = await begin(client, "third");
		await whileOff("server", era, () => Promise.resolve());
		assert.equal(await cancelledAt(client, 4), "first,other,second,third");
		assert.equal(await statusOf(client, third), "cancelled");
	});
}

test("what is lifted, or about somebody else, cancels nothing", async () => {
	const client = await openWire("modern", gateway.address("modern"), declared);
	const task = await begin(client, "kept");
	await whileOff("tenant", "another", () => Promise.resolve());
	await whileOff("server", "legacy", () => Promise.resolve());
	assert.equal(await statusOf(client, task), "working");
});
