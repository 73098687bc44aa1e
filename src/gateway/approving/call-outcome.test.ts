import assert from "node:assert/strict";
import { test } from "node:test";
import { SeededRandom } from "../../../test/support/seeded-random.ts";
import { outcome_chars_max } from "../../approvals/outcomes.ts";
import { makeFault } from "../../protocol/fault.ts";
import { indexMessage } from "../../wire/index-message.ts";
import { memberSpan } from "../../wire/object.ts";
import { replaceSpan } from "../../wire/splice.ts";
import { type Reply, rpcError } from "../call.ts";
import { obstacleOf, outcomeOf, roundOf } from "./call-outcome.ts";

const target = { server: { name: "jobs" } as never, name: "start" };

function reply(json: string): Extract<Reply, { kind: "message" }> {
	const indexed = indexMessage(Buffer.from(`{"jsonrpc":"2.0","id":7,${json}}`));
	assert.ok(indexed.ok);
	return { kind: "message", message: indexed.value, edits: [] };
}

const fault = makeFault(new SeededRandom(1), {
	code: "server_failed",
	message: "The server does not start.",
	level: "warn",
	retry_safe: true,
});

test("a result is kept as the client would have seen it, and the reply is left as it is", () => {
	const given = reply('"result":{"content":[],"n":1.0}');
	const { message, edits } = given;
	const span = memberSpan(message.result, "n") ?? assert.fail("it has one");
	edits.push(replaceSpan(span, "2.0"));
	const expected = { kind: "result", json: '{"content":[],"n":2.0}' };
	assert.deepEqual(outcomeOf({ target }, given), expected);
	assert.deepEqual(outcomeOf({ target }, given), expected, "it may be asked for twice");
	assert.equal(given.edits.length, 1);
});

test("an error is kept as an error, and a failure of ours as the result that tools have", () => {
	const error = '{"code":-32602,"message":"Unknown tool"}';
	assert.deepEqual(outcomeOf({ target }, reply(`"error":${error}`)), {
		kind: "error",
		json: error,
	});
	const told = outcomeOf({ target }, { kind: "fault", fault });
	assert.ok(told.kind === "result");
	assert.match(told.json, /"isError":true.*server_failed/);
});

test("of a task of the server its own id is kept, and not the one that clients see", () => {
	const given = reply('"result":{"resultType":"task","taskId":"9"}');
	const span = memberSpan(given.message.result, "taskId") ?? assert.fail("it has one");
	given.edits.push(replaceSpan(span, '"mark.jobs__9"'));
	assert.deepEqual(outcomeOf({ target }, given), { kind: "task", server: "jobs", task_id: "9" });
});

test("what cannot be kept, or passed on, is told as that", () => {
	const long = reply(`"result":{"content":"${"x".repeat(outcome_chars_max)}"}`);
	const visit: Reply = { kind: "result", json: '{"resultType":"input_required"}' };
	for (const [given, text] of [
		[long, /too large to keep/],
		[visit, /visit a page first/],
	] as const) {
		const told = outcomeOf({ target }, given);
		assert.ok(told.kind === "error");
		assert.match(JSON.parse(told.json).message, text);
	}
});

test("questions that a server answers with are a round, and nothing else is", () => {
	const requests = '{"q":{"method":"roots/list"}}';
	const asks = reply(
		`"result":{"resultType":"input_required","inputRequests":${requests},"requestState":"s"}`,
	);
	assert.deepEqual(roundOf(asks), { requests, state: '"s"' });
	const waits = reply('"result":{"resultType":"input_required"}');
	assert.deepEqual(roundOf(waits), { requests: "{}", state: undefined });
	assert.equal(roundOf(reply('"result":{"content":[]}')), undefined);
	assert.equal(roundOf({ kind: "fault", fault }), undefined);
});

test("why a call was not sent is told in the words of whoever stopped it", () => {
	assert.equal(obstacleOf({ kind: "fault", fault }), "The server does not start.");
	assert.equal(obstacleOf(rpcError(-32602, "Unknown tool: x")), "Unknown tool: x");
	assert.equal(obstacleOf(reply('"result":{}')), undefined);
});
