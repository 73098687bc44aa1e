import assert from "node:assert/strict";
import { test } from "node:test";
import type { InstanceStatus } from "../../src/hosting/status.ts";
import type { Json } from "../matrix/peer.ts";
import { instancesOf, untilInstances } from "../support/admin-status.ts";
import { startGateway, stdioFixture } from "../support/gateway.ts";
import { ModernWire, type WireClient } from "../support/wire-clients.ts";

/** Tasks and the instances that work on them: nobody has to listen for them to go on. */

const capabilities = '{"extensions":{"io.modelcontextprotocol/tasks":{}}}';
const tasks = stdioFixture("conformance/tasks", "--era", "modern");
const sleepy = { freeze: "never", reclaim: "never", stop: "50ms" };
const long = '{"seconds":600,"label":"x"}';

const none = (all: readonly InstanceStatus[]) => all.length === 0;

function askTask(client: WireClient, method: string, task_id: string): Promise<Json> {
	const params = JSON.stringify({ taskId: task_id });
	return client.ask({ method, params, headers: { "mcp-name": task_id } });
}

test("a running task keeps its instance awake, and a cancelled one no longer", async () => {
	const idle = { start: "on-demand", keep: "on-demand", idle: sleepy };
	const gateway = await startGateway({
		servers: { working: { ...tasks, ...idle }, idle: { ...tasks, ...idle } },
	});
	try {
		const client = new ModernWire(gateway.address("working"), capabilities);
		const { result }: Json = await client.call("slow_compute", long);
		assert.equal(result.resultType, "task");
		// One that was used later has gone to sleep by its time: so this one would have, too.
		await new ModernWire(gateway.address("idle")).call("greet", '{"name":"Ada"}');
		await untilInstances(gateway, "idle", none);
		const [instance] = await instancesOf(gateway, "working");
		assert.deepEqual([instance?.state, instance?.leases], ["ready", 1]);
		assert.equal((await askTask(client, "tasks/get", result.taskId)).result.status, "working");
		await askTask(client, "tasks/cancel", result.taskId);
		assert.equal((await askTask(client, "tasks/get", result.taskId)).result.status, "cancelled");
		await untilInstances(gateway, "working", none);
	} finally {
		await gateway.stop();
	}
});

test("what is asked about a task goes to the replica that works on it", async () => {
	const gateway = await startGateway({ servers: { twins: { ...tasks, replicas: 2 } } });
	try {
		const client = new ModernWire(gateway.address("twins"), capabilities);
		const plain = new ModernWire(gateway.address("twins"));
		// A call that its client waits for keeps the first replica busy: the task is the other's.
		const busy = new AbortController();
		const request = {
			method: "tools/call",
			id: "1",
			params: `{"name":"slow_compute","arguments":${long}}`,
		};
		const waiting = fetch(gateway.address("twins"), {
			method: "POST",
			headers: plain.headers(request),
			body: plain.compose(request),
			signal: busy.signal,
		});
		await untilInstances(gateway, "twins", (all) => all.some(({ leases }) => leases > 0));
		const { result }: Json = await client.call("slow_compute", long);
		assert.equal(result.resultType, "task");
		busy.abort();
		await assert.rejects(waiting);
		await untilInstances(gateway, "twins", (all) => {
			const held = all.map(({ leases }) => leases);
			return held.toSorted().join() === "0,1";
		});
		for (let times = 0; times < 3; times++) {
			assert.equal((await askTask(client, "tasks/get", result.taskId)).result.status, "working");
		}
		assert.equal((await askTask(client, "tasks/cancel", result.taskId)).error, undefined);
		assert.equal((await askTask(client, "tasks/get", result.taskId)).result.status, "cancelled");
	} finally {
		await gateway.stop();
	}
});
