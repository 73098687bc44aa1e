import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { ElicitRequestSchema } from "@modelcontextprotocol/sdk/types.js";
import type { Json } from "../matrix/peer.ts";
import { adminDone } from "../support/admin-request.ts";
import { connectV1 } from "../support/clients.ts";
import { startGateway, stdioFixture, type TestGateway } from "../support/gateway.ts";
import { eventually } from "../support/processes.ts";
import { ModernWire } from "../support/wire-clients.ts";

/** Approved calls whose server asks something before it does its work: every round is agreed to. */

const tasks = '{"extensions":{"io.modelcontextprotocol/tasks":{}},"elicitation":{"form":{}}}';
const inputResponses = { pin: { action: "accept", content: { pin: "1234" } } };

let gateway: TestGateway;

before(async () => {
	gateway = await startGateway({
		servers: {
			bank: {
				...stdioFixture("transferring", "--era", "modern"),
				tools: { transfer: { approval: { edit: true } }, rounds: { risk: "read" } },
			},
		},
		approvals: { wait: "50ms" },
	});
});

after(() => gateway.stop());

async function approve(amount: number, edited?: number): Promise<string> {
	const find = async () =>
		(
			await adminDone<{ approvals: { id: string; arguments: { amount: number } }[] }>(
				gateway,
				"GET",
				"/api/approvals?state=pending",
			)
		).approvals.filter(({ arguments: args }) => args.amount === amount);
	const [{ id } = { id: "" }] = await eventually(find, (all) => all.length > 0);
	const change = edited === undefined ? {} : { arguments: { amount: edited } };
	const body = { verdict: "approve", ...change };
	await adminDone(gateway, "POST", `/api/approvals/${id}/decision`, body);
	return id;
}

const stateOf = async (id: string) =>
	(await adminDone<{ state: string }>(gateway, "GET", `/api/approvals/${id}`)).state;

/** A call of a client that does not know tasks. */
async function transfer(amount: number, more: object = {}): Promise<Json> {
	const params = JSON.stringify({ name: "transfer", arguments: { amount }, ...more });
	const wire = new ModernWire(gateway.address("bank"), '{"elicitation":{}}');
	return (await wire.ask({ method: "tools/call", params })).result;
}

async function rounds(amount: number): Promise<readonly string[]> {
	const { result }: Json = await new ModernWire(gateway.address("bank")).call("rounds");
	const all: string = result.content[0].text;
	return all.split("; ").filter((round) => round.startsWith(`{"amount":${amount}} `));
}

const codeOf = (result: Json): string => result._meta?.["dev.moorage/error"]?.code;

test("with edited arguments, what the server hears in its second round is the edited ones", async () => {
	assert.equal(codeOf(await transfer(1_000_000)), "approval_pending");
	const id = await approve(1_000_000, 1);
	const asked = await transfer(1_000_000);
	assert.equal(asked.resultType, "input_required");
	const { requestState } = asked;
	const moved = await transfer(1_000_000, { inputResponses, requestState });
	assert.equal(moved.content[0].text, 'moved {"amount":1}');
	assert.deepEqual(await rounds(1_000_000), []);
	assert.deepEqual(await rounds(1), ['{"amount":1} asks', '{"amount":1} moves']);
	assert.equal(await stateOf(id), "done");
});

test("the evidence of an edited call has what ran, and not what its caller asked for", async () => {
	assert.equal(codeOf(await transfer(7_000_000)), "approval_pending");
	const approval_id = await approve(7_000_000, 7);
	await transfer(7_000_000);
	interface Line {
		readonly id: string;
		readonly approval_id: string | null;
		readonly status: string;
		readonly input_hash: string | null;
	}
	const find = async () => {
		const path = "/api/calls?limit=100";
		const { calls } = await adminDone<{ calls: Line[] }>(gateway, "GET", path);
		return calls.filter((line) => line.approval_id === approval_id);
	};
	const lines = await eventually(find, (all) => all.some(({ status }) => status === "ok"));
	const ran = lines.find(({ status }) => status === "ok");
	const asked = lines.find(({ status }) => status !== "ok");
	assert.notEqual(ran?.input_hash, asked?.input_hash);
	const path = `/api/calls/${ran?.id}/payload`;
	const kept = JSON.stringify(await adminDone(gateway, "GET", path));
	assert.match(kept, /amount[\\]*":7[,}]/);
	assert.doesNotMatch(kept, /7000000/);
});

test("as a task, too, every round has the arguments that were agreed to", async () => {
	const wire = new ModernWire(gateway.address("bank"), tasks);
	const { result: task }: Json = await wire.call("transfer", '{"amount":2000000}');
	assert.equal(task.resultType, "task");
	const id = await approve(2_000_000, 2);
	const about = (method: string, more = {}): Promise<Json> =>
		wire.ask({
			method,
			params: JSON.stringify({ taskId: task.taskId, ...more }),
			headers: { "mcp-name": task.taskId },
		});
	const get = async () => (await about("tasks/get")).result;
	const asks = await eventually(get, ({ status }) => status !== "working");
	assert.equal(asks.status, "input_required");
	await about("tasks/update", { inputResponses });
	const done = await eventually(get, ({ status }) => status !== "working");
	assert.equal(done.status, "completed");
	assert.equal(done.result.content[0].text, 'moved {"amount":2}');
	assert.deepEqual(await rounds(2_000_000), []);
	assert.equal(await stateOf(id), "done");
});

test("for a legacy client, whose rounds are played here, it is the same", async () => {
	const client = await connectV1(gateway.address("bank"), { elicitation: { form: {} } });
	client.setRequestHandler(ElicitRequestSchema, ({ params }) => {
		// The form of the approval itself is left to an approver.
		return params.message === "Which PIN?" ? inputResponses.pin : { action: "cancel" };
	});
	const called = { name: "transfer", arguments: { amount: 3_000_000 } };
	await client.callTool(called);
	await approve(3_000_000, 3);
	const { content } = await client.callTool(called);
	assert.deepEqual(content, [{ type: "text", text: 'moved {"amount":3}' }]);
	assert.deepEqual(await rounds(3_000_000), []);
	await client.close();
});

test("an off switch thrown between two rounds holds the second back", async () => {
	await transfer(4);
	await approve(4);
	const { requestState } = await transfer(4);
	const off = { kind: "tool", name: "bank__transfer", reason: "Broken." };
	const killed = await adminDone<{ id: string }>(gateway, "POST", "/api/kill-switches", off);
	const again = { inputResponses, requestState };
	assert.equal(codeOf(await transfer(4, again)), "switched_off");
	await adminDone(gateway, "DELETE", `/api/kill-switches/${killed.id}`);
	assert.deepEqual(await rounds(4), ['{"amount":4} asks']);
	assert.equal((await transfer(4, again)).content[0].text, 'moved {"amount":4}');
});

test("the same answers sent twice go on once", async () => {
	await transfer(5);
	await approve(5);
	const { requestState } = await transfer(5);
	const again = { inputResponses, requestState };
	const both = await Promise.all([transfer(5, again), transfer(5, again)]);
	const texts = both.map((result) => result.content[0].text as string).sort();
	assert.match(texts[0] ?? "", /^The same call, which was approved .* runs already/);
	assert.equal(texts[1], 'moved {"amount":5}');
	assert.deepEqual(await rounds(5), ['{"amount":5} asks', '{"amount":5} moves']);
});

test("answers to questions that nobody asked do not come along with an approved call", async () => {
	const smuggled = { inputResponses, requestState: "round 1" };
	assert.equal(codeOf(await transfer(6, smuggled)), "approval_pending");
	const id = await approve(6);
	const refused = await transfer(6, smuggled);
	assert.match(refused.content[0].text, /inputResponses and requestState .* without them/);
	assert.deepEqual([await stateOf(id), await rounds(6)], ["approved", []]);
	assert.equal((await transfer(6)).resultType, "input_required");
	assert.deepEqual(await rounds(6), ['{"amount":6} asks']);
});
