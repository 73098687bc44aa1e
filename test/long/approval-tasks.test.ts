import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { TaskIds } from "../../src/gateway/bridge/task-ids.ts";
import { hashApiKey, newApiKey } from "../../src/identity/api-keys.ts";
import { systemRandom } from "../../src/lib/random.ts";
import type { Json } from "../matrix/peer.ts";
import { adminDone, adminRequest } from "../support/admin-request.ts";
import { startGateway, stdioFixture, type TestGateway } from "../support/gateway.ts";
import { eventually } from "../support/processes.ts";
import {
	ModernWire,
	openLegacy,
	type WireClient,
	type WireRequest,
} from "../support/wire-clients.ts";

/** Calls that wait for people, as tasks of clients that declare the extension (SEP-2663). */

const extension = "io.modelcontextprotocol/tasks";
const capabilities = `{"extensions":{"${extension}":{}},"elicitation":{"form":{}}}`;

const asked = { approval: "required" };
const config = {
	servers: {
		ledger: {
			...stdioFixture("ledger"),
			tools: { refund: asked, delete_entry: asked, note: { approval: { edit: true } } },
		},
		slow: { ...stdioFixture("slow"), tools: { hold: asked } },
		asking: { ...stdioFixture("asking"), tools: { elicit: asked } },
		tasks: {
			...stdioFixture("conformance/tasks", "--era", "modern"),
			tools: { slow_compute: asked, confirm_delete: asked, test_tool_with_task: asked },
		},
	},
	approvals: { wait: "10m" },
};

let gateway: TestGateway;

before(async () => {
	gateway = await startGateway(config);
});

after(() => gateway.stop());

const at = (endpoint = "mcp", on = gateway) => new ModernWire(on.address(endpoint), capabilities);

function askTask(client: WireClient, method: string, task_id: string, more = {}): Promise<Json> {
	const params = JSON.stringify({ taskId: task_id, ...more });
	return client.ask({ method, params, headers: { "mcp-name": task_id } });
}

/** The task that a call becomes, and the approval that it waits for. */
async function start(client: WireClient, tool: string, json: string) {
	const { result }: Json = await client.call(tool, json);
	assert.equal(result.resultType, "task", JSON.stringify(result));
	const [, id = ""] = /\((appr_[\w-]+)\)/.exec(result.statusMessage) ?? [];
	return { task: result, task_id: result.taskId as string, id };
}

const get = async (client: WireClient, task_id: string): Promise<Json> =>
	(await askTask(client, "tasks/get", task_id)).result;

/** What is known of a task once it is not only working. */
const settled = (client: WireClient, task_id: string): Promise<Json> =>
	eventually(
		() => get(client, task_id),
		({ status }) => status !== "working",
	);

const decide = (id: string, body: object, on = gateway) =>
	adminDone(on, "POST", `/api/approvals/${id}/decision`, body);
const approve = (id: string, on = gateway) => decide(id, { verdict: "approve" }, on);
const stateOf = async (id: string) =>
	(await adminDone<{ state: string }>(gateway, "GET", `/api/approvals/${id}`)).state;

async function entries(): Promise<string> {
	const { result }: Json = await at("ledger").call("list_entries");
	return result.content[0].text;
}

for (const [endpoint, prefix] of [
	["ledger", ""],
	["mcp", "ledger__"],
] as const) {
	test(`a call that waits for people is a task at ${endpoint}, and runs once when it is approved`, async () => {
		const client = at(endpoint);
		const { result: found }: Json = await client.ask({ method: "server/discover" });
		assert.deepEqual(found.capabilities.extensions[extension], {});
		const json = `{"amount":7,"to":"${endpoint}"}`;
		const { task, task_id, id } = await start(client, `${prefix}refund`, json);
		assert.equal(task.status, "working");
		assert.ok(task.statusMessage.includes(`${gateway.url}/approvals/${id}`), task.statusMessage);
		assert.equal(task.ttlMs, 3 * 3_600_000);
		assert.ok(task.pollIntervalMs > 0 && task.createdAt <= task.lastUpdatedAt);
		// The same call again is the same task, and asking about it runs nothing.
		assert.equal((await start(client, `${prefix}refund`, json)).task_id, task_id);
		const waiting = await get(client, task_id);
		assert.equal(waiting.resultType, "complete");
		assert.deepEqual([waiting.status, waiting.taskId], ["working", task_id]);
		await approve(id);
		const all = await Promise.all([1, 2, 3].map(() => settled(client, task_id)));
		for (const one of [...all, await get(client, task_id)]) {
			assert.equal(one.status, "completed");
			assert.equal(one.result.content[0].text, "did refund");
		}
		const made = (await entries()).split("; ").filter((entry) => entry.includes(endpoint));
		assert.deepEqual(made, [`refund ${json}`]);
		assert.equal(await stateOf(id), "done");
	});
}

test("what runs are the arguments that were agreed to", async () => {
	const client = at("ledger");
	const { task_id, id } = await start(client, "note", '{"text":"as it was sent"}');
	await decide(id, { verdict: "approve", arguments: { text: "as it was edited" } });
	assert.equal((await settled(client, task_id)).status, "completed");
	assert.match(await entries(), /note \{"text":"as it was edited"\}/);
	assert.doesNotMatch(await entries(), /as it was sent/);
});

test("a refusal ends the task with its reason", async () => {
	const client = at("ledger");
	const { task_id, id } = await start(client, "delete_entry", '{"id":"kept"}');
	await decide(id, { verdict: "deny", reason: "Not today." });
	const refused = await get(client, task_id);
	assert.equal(refused.status, "failed");
	assert.match(refused.error.message, new RegExp(`not approved \\(${id}\\): Not today\\.`));
	assert.deepEqual(refused.error.data, { code: "approval_denied" });
	assert.doesNotMatch(await entries(), /kept/);
});

test("a task that is cancelled while it waits is taken back, before and after the decision", async () => {
	const client = at("ledger");
	for (const is_approved of [false, true]) {
		const { task_id, id } = await start(client, "delete_entry", '{"id":"taken back"}');
		if (is_approved) await approve(id);
		assert.deepEqual((await askTask(client, "tasks/cancel", task_id)).result, {
			resultType: "complete",
		});
		assert.equal((await get(client, task_id)).status, "cancelled");
		const path = `/api/approvals/${id}/decision`;
		const late = await adminRequest(gateway, "POST", path, { verdict: "approve" });
		assert.equal(late.status, 409);
	}
	assert.doesNotMatch(await entries(), /taken back/);
});

test("a task that nobody decides about in time ends, and so does one that nobody asks about", async (t) => {
	const tools = {
		refund: { approval: { expires: "1s" } },
		// Long enough that a busy machine decides in time.
		delete_entry: { approval: { expires: "6s" } },
	};
	const short = await startGateway({ servers: { ledger: { ...stdioFixture("ledger"), tools } } });
	t.after(() => short.stop());
	const client = at("ledger", short);
	const undecided = await start(client, "refund", '{"amount":7}');
	const ended = await settled(client, undecided.task_id);
	assert.equal(ended.status, "failed");
	assert.match(ended.error.message, /Nobody decided about this call in time \(appr_/);
	const agreed = await start(client, "delete_entry", '{"id":"late"}');
	await approve(agreed.id, short);
	const path = `/api/approvals/${agreed.id}`;
	await eventually(
		() => adminDone<{ state: string }>(short, "GET", path),
		({ state }) => state === "expired",
	);
	const late = await get(client, agreed.task_id);
	assert.match(late.error.message, /was approved .* but nobody asked about it in time/);
	const { result }: Json = await client.call("list_entries");
	assert.equal(result.content[0].text, "", "neither has run");
});

test("a task that is cancelled while it runs has its server told", async () => {
	const client = at("slow");
	const { task_id, id } = await start(client, "hold", '{"key":"cancelled"}');
	await approve(id);
	const running = await get(client, task_id);
	assert.deepEqual([running.status, await stateOf(id)], ["working", "running"]);
	await askTask(client, "tasks/cancel", task_id);
	assert.equal((await settled(client, task_id)).status, "cancelled");
	const { result }: Json = await client.call("cancelled", '{"count":1}');
	assert.match(result.content[0].text, /cancelled/);
});

test("a task is its owner's, at its own address, for clients that declared tasks", async () => {
	const client = at("ledger");
	const { task_id, id } = await start(client, "delete_entry", '{"id":"mine"}');
	const place = { server: "~approvals", task_id: id };
	const foreign = new TaskIds(Buffer.alloc(32)).expose("local", place);
	for (const unknown of [id, `~approvals__${id}`, `${task_id}x`, foreign]) {
		for (const method of ["tasks/get", "tasks/update", "tasks/cancel"]) {
			const { error } = await askTask(at(), method, unknown);
			assert.equal(error.code, -32602, `${method} ${unknown}`);
		}
	}
	for (const elsewhere of [at(), at("slow"), at("tasks")]) {
		assert.equal((await askTask(elsewhere, "tasks/cancel", task_id)).error.code, -32602);
	}
	const plain = new ModernWire(gateway.address("ledger"));
	assert.equal((await askTask(plain, "tasks/get", task_id)).error.code, -32021);
	assert.equal(await stateOf(id), "pending");
});

test("nobody else's task is known, and a task is run with the roles of whoever asks", async (t) => {
	const keys = { ana: newApiKey(systemRandom), bob: newApiKey(systemRandom) };
	const key = (user: "ana" | "bob", roles: readonly string[]) => ({
		name: user,
		hash: `sha256:${hashApiKey(keys[user])}`,
		tenant: "acme",
		user,
		roles: ["approver", ...roles],
	});
	const team = (roles: readonly string[]) => ({
		...config,
		identity: { keys: [key("ana", roles), key("bob", ["clerk"])] },
		policy: [{ tool: "refund", when: "'clerk' in principal.roles", else: "deny" }],
		approvals: { other_than_caller: true },
	});
	const two = await startGateway(team(["clerk"]));
	t.after(() => two.stop());
	const as = (user: "ana" | "bob") => {
		const wire = at("ledger", two);
		const ask = (request: WireRequest): Promise<Json> => {
			const headers = { ...request.headers, authorization: `Bearer ${keys[user]}` };
			return wire.ask({ ...request, headers });
		};
		return { ask };
	};
	const params = '{"name":"refund","arguments":{"amount":5}}';
	const { result } = await as("ana").ask({ method: "tools/call", params });
	const [, id = ""] = /\((appr_[\w-]+)\)/.exec(result.statusMessage) ?? [];
	const about = { params: JSON.stringify({ taskId: result.taskId }) };
	const named = { ...about, headers: { "mcp-name": result.taskId as string } };
	for (const method of ["tasks/get", "tasks/cancel"]) {
		assert.equal((await as("bob").ask({ method, ...named })).error.code, -32602);
	}
	const decision = `/api/approvals/${id}/decision`;
	const yes = { verdict: "approve" };
	assert.equal((await adminRequest(two, "POST", decision, yes, keys.ana)).status, 403);
	assert.equal((await adminRequest(two, "POST", decision, yes, keys.bob)).status, 200);
	const get = () => as("ana").ask({ method: "tasks/get", ...named });
	assert.ok((await two.reconfigure(team([]))).ok);
	assert.equal((await get()).error.data.code, "policy_denied");
	assert.ok((await two.reconfigure(team(["clerk"]))).ok);
	const done = await eventually(get, ({ result: { status } }) => status !== "working");
	assert.equal(done.result.status, "completed");
});

test("whoever may not make the call any more is not told of it, and it runs once they may", async () => {
	const client = at("ledger");
	const { task_id, id } = await start(client, "delete_entry", '{"id":"switched"}');
	await approve(id);
	const off = { kind: "tool", name: "ledger__delete_entry", reason: "Broken." };
	const killed = await adminDone<{ id: string }>(gateway, "POST", "/api/kill-switches", off);
	const { error } = await askTask(client, "tasks/get", task_id);
	assert.equal(error.data.code, "switched_off");
	await adminDone(gateway, "DELETE", `/api/kill-switches/${killed.id}`);
	assert.equal((await settled(client, task_id)).status, "completed");
});

test("a server that makes a task of the call is asked about it under the same id", async () => {
	const client = at("tasks");
	const { task_id, id } = await start(client, "slow_compute", '{"seconds":600,"label":"x"}');
	await approve(id);
	const asksAgain = async () => {
		const { taskId, status } = await get(client, task_id);
		assert.deepEqual([taskId, status], [task_id, "working"]);
		return stateOf(id);
	};
	await eventually(asksAgain, (state) => state === "done");
	assert.equal((await get(client, task_id)).taskId, task_id, "the server is asked now");
	await askTask(client, "tasks/cancel", task_id);
	assert.equal((await get(client, task_id)).status, "cancelled");
});

test("what a server asks before it makes a task, and what the task asks, is answered by `tasks/update`", async () => {
	const client = at("mcp");
	const { task_id, id } = await start(client, "tasks__test_tool_with_task", "{}");
	await approve(id);
	const asks = await settled(client, task_id);
	assert.equal(asks.status, "input_required");
	assert.equal(asks.inputRequests.user_name.method, "elicitation/create");
	assert.equal((await get(client, task_id)).status, "input_required", "until it is answered");
	const inputResponses = { user_name: { action: "accept", content: { name: "Ada" } } };
	await askTask(client, "tasks/update", task_id, { inputResponses });
	const { status, result } = await settled(client, task_id);
	assert.deepEqual([status, result.content[0].text], ["completed", "Done for Ada."]);
	const second = await start(client, "tasks__confirm_delete", '{"filename":"a"}');
	await approve(second.id);
	const { inputRequests } = await settled(client, second.task_id);
	const answers = Object.fromEntries(
		Object.keys(inputRequests).map((key) => [key, { action: "decline" }]),
	);
	await askTask(client, "tasks/update", second.task_id, { inputResponses: answers });
	assert.equal((await settled(client, second.task_id)).result.content[0].text, "decline: a");
});

test("what a legacy server asks in the middle of the call is answered by `tasks/update`", async () => {
	const client = at("asking");
	const { task_id, id } = await start(client, "elicit", "{}");
	await approve(id);
	const { status, inputRequests } = await settled(client, task_id);
	assert.equal(status, "input_required");
	const [key = "", request] = Object.entries<Json>(inputRequests)[0] ?? [];
	assert.equal(request.params.message, "What is your name?");
	await askTask(client, "tasks/update", task_id, { inputResponses: {} });
	assert.equal((await get(client, task_id)).status, "input_required");
	const inputResponses = { [key]: { action: "accept", content: { name: "Ada" } } };
	await askTask(client, "tasks/update", task_id, { inputResponses });
	const { result } = await settled(client, task_id);
	assert.match(result.content[0].text, /"name":"Ada"/);
	// Nobody answers the second time: cancelling ends it on both sides.
	const second = await start(client, "elicit", "{}");
	await approve(second.id);
	await settled(client, second.task_id);
	await askTask(client, "tasks/cancel", second.task_id);
	assert.equal((await get(client, second.task_id)).status, "cancelled");
});

test("a legacy client, and one that does not know tasks, waits as before", async (t) => {
	const short = await startGateway({ ...config, approvals: { wait: "100ms" } });
	t.after(() => short.stop());
	const clients = [
		await openLegacy(short.address("ledger"), { capabilities: "{}" }),
		new ModernWire(short.address("ledger")),
	];
	for (const client of clients) {
		const { result }: Json = await client.call("refund", '{"amount":1}');
		assert.equal(result._meta["dev.moorage/error"].code, "approval_pending");
	}
	const none = await startGateway({ servers: { ledger: stdioFixture("ledger") } });
	t.after(() => none.stop());
	const { result }: Json = await at("ledger", none).ask({ method: "server/discover" });
	assert.equal(result.capabilities.extensions?.[extension], undefined);
});

test("a task outlives a restart, while it waits and once it is over", async (t) => {
	const folder = await mkdtemp(join(tmpdir(), "moorage-approval-tasks-"));
	const open = () => startGateway(config, { folder });
	let now = await open();
	t.after(async () => {
		await now.stop();
		await rm(folder, { recursive: true, force: true });
	});
	const { task_id, id } = await start(at("ledger", now), "refund", '{"amount":3}');
	await now.stop();
	now = await open();
	assert.equal((await get(at("ledger", now), task_id)).status, "working");
	await approve(id, now);
	assert.equal((await settled(at("ledger", now), task_id)).status, "completed");
	await now.stop();
	now = await open();
	const { status, result } = await get(at("ledger", now), task_id);
	assert.deepEqual([status, result.content[0].text], ["completed", "did refund"]);
});
