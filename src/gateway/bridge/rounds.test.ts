import assert from "node:assert/strict";
import { test } from "node:test";
import { FakeClock } from "../../../test/support/fake-clock.ts";
import { QuietLog } from "../../../test/support/quiet-log.ts";
import { SeededRandom } from "../../../test/support/seeded-random.ts";
import { makeFault } from "../../protocol/fault.ts";
import type { AskOutcome, UpstreamAsk } from "../../upstreams/driver.ts";
import { indexMessage } from "../../wire/index-message.ts";
import type { Message } from "../../wire/message.ts";
import { applyEdits } from "../../wire/splice.ts";
import type { Call, Reply } from "../call.ts";
import type { GatewayContext } from "../context.ts";
import { needsInput, playRounds, rounds_max } from "./rounds.ts";

const request =
	'{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"t","arguments":{"n":1.0}}}';

function messageOf(text: string): Message {
	const indexed = indexMessage(Buffer.from(text));
	assert.ok(indexed.ok, text);
	return indexed.value;
}

const replyOf = (result: string): Reply => ({
	kind: "message",
	message: messageOf(`{"jsonrpc":"2.0","id":9,"result":${result}}`),
	edits: [],
});

const questions = (inner: string, state?: string) =>
	replyOf(
		`{"resultType":"input_required","inputRequests":{${inner}}` +
			`${state === undefined ? "" : `,"requestState":${state}`}}`,
	);

const done = replyOf('{"resultType":"complete","content":[]}');
const elicit = '{"method":"elicitation/create","params":{"message":"x\\u0061","n":1.0}}';
const accepted: AskOutcome = { kind: "result", json: '{"action":"accept","content":{"n":1.0}}' };

/** A call of a legacy client that answers as it is told, and a server with these replies. */
function setUp(replies: readonly Reply[], answer: (ask: UpstreamAsk) => void = () => undefined) {
	const cancel = new AbortController();
	const clock = new FakeClock();
	const random = new SeededRandom(1);
	const asked: string[] = [];
	const sent: string[] = [];
	const log = new QuietLog();
	const context = {
		clock,
		log,
		fault: (parts: Parameters<typeof makeFault>[1]) => makeFault(random, parts),
		fieldsOf: () => ({}),
	} as unknown as GatewayContext;
	const call = {
		id: "call",
		message: messageOf(request),
		signal: cancel.signal,
		edits: [],
		target: { server: { name: "time" }, name: "t" },
		client: { era: "legacy" },
		sink: {
			notify: () => undefined,
			ask: (ask: UpstreamAsk) => {
				asked.push(ask.message.bytes.toString("utf8"));
				answer(ask);
			},
		},
	} as unknown as Call;
	const left = [...replies];
	const first = left.shift() as Reply;
	const play = () =>
		playRounds(call, first, context, (message, edits) => {
			sent.push(applyEdits(message.bytes, edits).toString("utf8"));
			return Promise.resolve(left.shift() ?? done);
		});
	return { play, cancel, clock, asked, sent };
}

const faultIn = (reply: Reply) => (reply.kind === "fault" ? reply.fault : undefined);

test("only a result that asks for input needs a round", () => {
	assert.ok(needsInput(questions("")));
	assert.ok(!needsInput(done));
	assert.ok(!needsInput(replyOf('{"content":[]}')));
	assert.ok(!needsInput({ kind: "result", json: '{"resultType":"input_required"}' }));
});

test("a question becomes a request, and its answer goes back as it was written", async () => {
	const { play, asked, sent } = setUp(
		[questions(`"k\\u0065y":${elicit}`, '"st\\u0061te"')],
		(ask) => ask.answer(accepted),
	);
	assert.equal(await play(), done);
	assert.equal(asked.length, 1);
	assert.match(asked[0] ?? "", /"params":\{"message":"x\\u0061","n":1\.0\}/);
	assert.deepEqual(sent, [
		'{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"t","arguments":{"n":1.0},' +
			'"inputResponses":{"key":{"action":"accept","content":{"n":1.0}}},' +
			'"requestState":"st\\u0061te"}}',
	]);
});

test("each round brings its own answers and its own state", async () => {
	const replies = [
		questions(`"a":${elicit},"b":{"method":"roots/list"}`, '"1"'),
		questions(`"c":${elicit}`, '"2"'),
		questions(`"d":${elicit}`),
	];
	const { play, asked, sent } = setUp(replies, (ask) => ask.answer(accepted));
	assert.equal(await play(), done);
	assert.equal(asked.length, 4);
	const params = sent.map((text) => {
		const { inputResponses, requestState } = (
			JSON.parse(text) as { params: { inputResponses: object; requestState?: string } }
		).params;
		return [Object.keys(inputResponses), requestState];
	});
	assert.deepEqual(params, [
		[["a", "b"], "1"],
		[["c"], "2"],
		[["d"], undefined],
	]);
});

test("a state without questions is sent back after a pause", async () => {
	const state_only = replyOf('{"resultType":"input_required","requestState":"s"}');
	const { play, clock, asked, sent } = setUp([state_only]);
	const outcome = play();
	assert.deepEqual(sent, []);
	await clock.advance(250);
	assert.equal(await outcome, done);
	assert.deepEqual(asked, []);
	assert.match(sent[0] ?? "", /"requestState":"s"/);
});

test("a refused elicitation is a cancelled one to the server", async () => {
	const refusal: AskOutcome = { kind: "error", json: '{"code":-1,"message":"no"}' };
	const { play, sent } = setUp([questions(`"a":${elicit}`)], (ask) => ask.answer(refusal));
	assert.equal(await play(), done);
	assert.match(sent[0] ?? "", /"inputResponses":\{"a":\{"action":"cancel"\}\}/);
});

test("another question that is refused ends the call with a reason", async () => {
	const refusal: AskOutcome = { kind: "error", json: '{"code":-32601,"message":"no"}' };
	const sampling = '"s":{"method":"sampling/createMessage","params":{}}';
	const { play, sent } = setUp([questions(sampling)], (ask) => ask.answer(refusal));
	const fault = faultIn(await play());
	assert.equal(fault?.code, "not_supported");
	assert.match(fault?.message ?? "", /"time" asked for sampling\/createMessage/);
	assert.deepEqual(sent, []);
});

test("a question that is no request ends the call with a reason", async () => {
	for (const odd of ["7", "{}", '{"method":7}', "null"]) {
		const { play } = setUp([questions(`"a":${odd}`)]);
		assert.equal(faultIn(await play())?.code, "not_supported", odd);
	}
});

test("a server that never has enough is stopped", async () => {
	const endless = Array.from({ length: 50 }, () => questions(`"a":${elicit}`));
	const { play, sent } = setUp(endless, (ask) => ask.answer(accepted));
	const fault = faultIn(await play());
	assert.equal(fault?.code, "not_supported");
	assert.equal(sent.length, rounds_max);
});

test("a server that asks too much at once is stopped before anybody is asked", async () => {
	const many = Array.from({ length: 33 }, (_, at) => `"q${at}":${elicit}`).join(",");
	const { play, asked } = setUp([questions(many)], (ask) => ask.answer(accepted));
	assert.match(faultIn(await play())?.message ?? "", /too many questions/);
	assert.deepEqual(asked, []);
});

test("cancelling ends a round that waits for its client, and one that pauses", async () => {
	for (const first of [
		questions(`"a":${elicit}`),
		replyOf('{"resultType":"input_required","requestState":"s"}'),
	]) {
		const { play, cancel, sent } = setUp([first]);
		const outcome = play();
		cancel.abort();
		assert.equal(faultIn(await outcome)?.code, "call_cancelled");
		assert.deepEqual(sent, []);
	}
});

test("a question about a URL gets the id that legacy clients need", async () => {
	const url = '{"method":"elicitation/create","params":{"mode":"url","url":"https://a.example"}}';
	const { play, asked } = setUp([questions(`"a":${url}`)], (ask) => ask.answer(accepted));
	assert.equal(await play(), done);
	assert.match(asked[0] ?? "", /"url":"https:\/\/a\.example","elicitationId":"call-a"/);
});
