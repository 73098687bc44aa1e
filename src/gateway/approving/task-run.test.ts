import assert from "node:assert/strict";
import { test } from "node:test";
import { sampleApproval } from "../../../test/support/approval-samples.ts";
import { callFor } from "../../../test/support/calls.ts";
import { FakeClock, settle } from "../../../test/support/fake-clock.ts";
import { SeededRandom } from "../../../test/support/seeded-random.ts";
import { composeRequest } from "../../wire/compose.ts";
import { indexMessage } from "../../wire/index-message.ts";
import type { Call, Reply } from "../call.ts";
import type { GatewayContext } from "../context.ts";
import { parked_ms } from "../parking/parked-calls.ts";
import { TaskRun } from "./task-run.ts";

interface Sent {
	readonly call: Call;
	readonly params: Record<string, unknown>;
	reply(result: string): void;
}

/** A run whose calls come here instead of to a server. */
function setUp() {
	const clock = new FakeClock();
	const context = { clock, random: new SeededRandom(1), parked: { full: false } };
	const sent: Sent[] = [];
	const over: Reply[] = [];
	const run = new TaskRun({
		approval: sampleApproval({ asked: '{"path":"/a","n":1.0}' }),
		context: context as unknown as GatewayContext,
		onOver: async (_, __, reply) => void over.push(reply),
		send: (call) => {
			const { promise, resolve } = Promise.withResolvers<Reply>();
			const { bytes } = call.message;
			const { params } = JSON.parse(bytes.toString());
			const reply = (result: string) => resolve(replyOf(result));
			sent.push({ call, params, reply });
			call.signal.addEventListener("abort", () => reply('{"content":[],"isError":true}'));
			return promise;
		},
	});
	return { clock, run, sent, over };
}

function replyOf(result: string): Reply {
	const indexed = indexMessage(Buffer.from(`{"jsonrpc":"2.0","id":1,"result":${result}}`));
	assert.ok(indexed.ok);
	return { kind: "message", message: indexed.value, edits: [] };
}

const request = callFor({ method: "tasks/get", params: { taskId: "t", _meta: { "x/y": 1 } } });
const answers = (...keys: string[]) => ({
	by_key: new Map(keys.map((key) => [key, { kind: "result", json: Buffer.from("{}") }] as const)),
	raw: `{${keys.map((key) => `"${key}":{"action":"accept"}`).join(",")}}`,
});

test("the call is the one that was asked about, with what its caller says of itself now", async () => {
	const { run, sent, over } = setUp();
	run.start(request);
	const [first] = sent;
	assert.deepEqual(first?.params, {
		name: "delete",
		arguments: { path: "/a", n: 1 },
		_meta: { "x/y": 1 },
	});
	assert.ok(first?.call.message.bytes.includes('"arguments":{"path":"/a","n":1.0}'));
	assert.equal(first?.call.notes.approval_id, "appr_1");
	assert.equal(first?.call.principal, request.principal);
	first?.reply('{"content":[]}');
	await run.over;
	assert.equal(over.length, 1);
	assert.equal(run.broken_off, undefined);
});

test("a wait for it ends when it is over, when it asks something, or when its time is over", async () => {
	const { clock, run, sent } = setUp();
	run.start(request);
	const waiting = run.changed(1_000);
	await clock.advance(1_000);
	await waiting;
	const next = run.changed(1_000);
	sent[0]?.reply('{"resultType":"input_required","inputRequests":{"q":{}},"requestState":"s"}');
	await next;
	assert.equal(run.questions, '{"q":{}}');
	await run.changed(1_000);
	assert.equal(clock.pending, 0, "what has changed already is not waited for");
});

test("answers go to a server that answers with questions in another round", async () => {
	const { run, sent, over } = setUp();
	run.start(request);
	sent[0]?.reply('{"resultType":"input_required","inputRequests":{"q":{}},"requestState":"s"}');
	await run.changed(1_000);
	run.answer(request, answers());
	assert.equal(sent.length, 1, "no answers are no round");
	run.answer(request, answers("q"));
	assert.equal(run.questions, undefined);
	const { inputResponses, requestState } = sent[1]?.params ?? {};
	assert.deepEqual([inputResponses, requestState], [{ q: { action: "accept" } }, "s"]);
	run.answer(request, answers("q"));
	assert.equal(sent.length, 2, "what nobody asks is not answered");
	sent[1]?.reply('{"content":[]}');
	await run.over;
	assert.equal(over.length, 1, "a round is no end");
});

test("a server that asks in the middle of its call hears the answers, and what is open is asked again", async () => {
	const { clock, run, sent } = setUp();
	run.start(request);
	const heard: string[] = [];
	const ask = (id: string) => {
		const message = composeRequest(`"${id}"`, "roots/list", undefined);
		const answer = ({ kind }: { kind: string }) => void heard.push(`${id} ${kind}`);
		sent[0]?.call.sink.ask({ message, answer, signal: new AbortController().signal });
	};
	ask("one");
	ask("two");
	await clock.advance(10);
	assert.deepEqual(Object.keys(JSON.parse(run.questions ?? "{}")), ["one", "two"]);
	run.answer(request, answers("one", "nobody"));
	assert.deepEqual(heard, ["one result"]);
	await clock.advance(10);
	assert.deepEqual(Object.keys(JSON.parse(run.questions ?? "{}")), ["two"]);
	assert.equal(sent.length, 1);
});

for (const why of ["cancelled", "unanswered"] as const) {
	test(`a run that is ${why} tells its server to stop, and says so`, async () => {
		const { clock, run, sent, over } = setUp();
		run.start(request);
		const heard: string[] = [];
		sent[0]?.call.sink.ask({
			message: composeRequest('"q"', "roots/list", undefined),
			answer: ({ kind }) => void heard.push(kind),
			signal: new AbortController().signal,
		});
		await clock.advance(10);
		if (why === "cancelled") run.breakOff(why);
		else await clock.advance(parked_ms);
		await run.over;
		await settle();
		assert.equal(run.broken_off, why);
		assert.equal(run.questions, undefined);
		assert.ok(sent[0]?.call.signal.aborted);
		assert.deepEqual(heard, ["error"]);
		assert.equal(over.length, 1);
	});
}
