import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { TaskIds } from "../../src/gateway/bridge/task-ids.ts";
import type { Json } from "../matrix/peer.ts";
import { startGateway, stdioFixture, type TestGateway } from "../support/gateway.ts";
import { openWire, type WireClient } from "../support/wire-clients.ts";

const tasks_extension = "io.modelcontextprotocol/tasks";
const capabilities = `{"extensions":{"${tasks_extension}":{},"io.modelcontextprotocol/skills":{}}}`;
let gateway: TestGateway;

before(async () => {
	gateway = await startGateway({
		servers: {
			one: stdioFixture("matrix/modern"),
			two: stdioFixture("matrix/modern"),
			old: stdioFixture("matrix/legacy"),
			plain: stdioFixture("echo"),
		},
	});
});

after(() => gateway.stop());

/** Results of extensions have members of their own. */
const ask = (client: WireClient, method: string, params = "{}"): Promise<Json> =>
	client.ask({ method, params });
const call = (client: WireClient, tool: string, label: string): Promise<Json> =>
	client.call(tool, JSON.stringify({ label }));

const modern = (endpoint = "mcp") => openWire("modern", gateway.address(endpoint), capabilities);

/** Asks about a task, with the header that names it. */
function askTask(client: WireClient, method: string, task_id: string): Promise<Json> {
	const params = JSON.stringify({ taskId: task_id });
	return client.ask({ method, params, headers: { "mcp-name": task_id } });
}

test("a bundle has the extensions of its servers that it can carry", async () => {
	const client = await modern();
	const { result } = await ask(client, "server/discover");
	assert.deepEqual(Object.keys(result.capabilities.extensions).sort(), [
		"io.modelcontextprotocol/skills",
		tasks_extension,
		"io.modelcontextprotocol/ui",
	]);
});

test("a task at a bundle is asked about at the server that made it", async () => {
	const client = await modern();
	for (const server of ["one", "two"]) {
		const label = `for ${server}`;
		const { result: started } = await call(client, `${server}__job`, label);
		assert.equal(started.resultType, "task");
		const { result: got } = await askTask(client, "tasks/get", started.taskId);
		assert.equal(got.taskId, started.taskId);
		assert.equal(got.status, "completed");
		assert.equal(got.result.content[0].text, `done ${label}`);
		assert.equal((await askTask(client, "tasks/cancel", started.taskId)).error, undefined);
	}
});

test("a task id of a server itself, a changed one, or another owner's is unknown", async () => {
	const own = await modern("one");
	const all = await modern();
	const { result } = await call(own, "job", "x");
	assert.equal(result.resultType, "task");
	for (const client of [own, all]) {
		assert.equal((await askTask(client, "tasks/get", result.taskId)).result.status, "completed");
	}
	const task_id = result.taskId.slice(result.taskId.indexOf("__") + 2);
	assert.notEqual(task_id, result.taskId);
	const foreign = new TaskIds(Buffer.alloc(32)).expose("local", { server: "one", task_id });
	for (const client of [own, all]) {
		for (const unknown of [task_id, `one__${task_id}`, `${result.taskId}x`, foreign]) {
			for (const method of ["tasks/get", "tasks/update", "tasks/cancel"]) {
				assert.equal((await askTask(client, method, unknown)).error.code, -32602);
			}
		}
	}
	const other = await modern("two");
	assert.equal((await askTask(other, "tasks/get", result.taskId)).error.code, -32602);
});

test("a legacy task is its client's own, at the address of one server too", async () => {
	const [own, other] = [
		await openWire("legacy", gateway.address("old")),
		await openWire("legacy", gateway.address("old")),
	];
	const params = '{"name":"job","arguments":{"label":"mine"},"task":{"ttl":60000}}';
	const started = await ask(own, "tools/call", params);
	const exposed: string = started.result.task.taskId;
	assert.equal((await askTask(own, "tasks/get", exposed)).result.taskId, exposed);
	const { result } = await askTask(own, "tasks/result", exposed);
	assert.equal(result.content[0].text, "done mine");
	// What its server calls it is of no use to anybody, nor is the id of another owner.
	const task_id = exposed.slice(exposed.indexOf("__") + 2);
	const foreign = new TaskIds(Buffer.alloc(32)).expose("local", { server: "old", task_id });
	const elsewhere = await modern("old");
	for (const unknown of [task_id, `old__${task_id}`, `${exposed}x`, foreign]) {
		for (const client of [own, other]) {
			for (const method of ["tasks/get", "tasks/result", "tasks/cancel"]) {
				assert.equal((await askTask(client, method, unknown)).error.code, -32602, method);
			}
		}
		for (const method of [
			"tasks/get",
			"tasks/result",
			"tasks/update",
			"tasks/cancel",
			"tasks/list",
		]) {
			assert.equal((await askTask(elsewhere, method, unknown)).error.code, -32601, method);
		}
	}
	assert.equal((await askTask(own, "tasks/cancel", exposed)).error, undefined);
});

test("a client that did not declare tasks gets none, at a bundle too", async () => {
	const client = await openWire("modern", gateway.address(), "{}");
	const { result } = await call(client, "one__job", "plain");
	assert.equal(result.content[0].text, "done plain");
	for (const endpoint of ["mcp", "one"]) {
		const other = await openWire("modern", gateway.address(endpoint), "{}");
		for (const method of ["tasks/get", "tasks/update", "tasks/cancel"]) {
			const { error } = await askTask(other, method, "any");
			assert.equal(error.code, -32021, `${method} at ${endpoint}`);
			assert.deepEqual(error.data.requiredCapabilities, { extensions: { [tasks_extension]: {} } });
		}
	}
});

for (const era of ["legacy", "modern"] as const) {
	test(`a ${era} client sees the skills of all servers of a bundle, and reads them`, async () => {
		const client = await openWire(era, gateway.address(), capabilities);
		const { result } = await ask(client, "skills/list");
		const uris = result.skills.map(({ uri }: { uri: string }) => uri);
		assert.deepEqual(uris.sort(), [
			"skill://old/greeting/SKILL.md",
			"skill://one/greeting/SKILL.md",
			"skill://two/greeting/SKILL.md",
		]);
		for (const skill of result.skills) {
			const params = JSON.stringify({ uri: skill.uri });
			assert.deepEqual((await ask(client, "skills/get", params)).result.skill, skill);
			const read = await ask(client, "resources/read", params);
			assert.equal(read.result.contents[0].uri, skill.resources[0].uri);
		}
	});
}

test("a skill of a server that is not there is not found", async () => {
	const client = await modern();
	const params = '{"uri":"skill://nobody/greeting/SKILL.md"}';
	assert.equal((await ask(client, "skills/get", params)).error.code, -32602);
});
