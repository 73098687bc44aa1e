import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { FakeClock } from "../../test/support/fake-clock.ts";
import {
	faultOf,
	message,
	Recorder,
	type RequestOverrides,
	recordingContext,
	toolRequest,
} from "../../test/support/upstream-harness.ts";
import { fail } from "../lib/result.ts";
import { OpenAsks } from "./asks.ts";
import type { UpstreamAsk } from "./driver.ts";
import { UpstreamFaults } from "./faults.ts";
import { Inbound } from "./inbound.ts";
import { progressToken } from "./outgoing.ts";
import { PendingCalls } from "./pending.ts";

function setUp() {
	const recorder = new Recorder();
	const clock = new FakeClock();
	const context = recordingContext(recorder, { clock });
	const sent: string[] = [];
	const send = (bytes: Buffer) => sent.push(bytes.toString("utf8"));
	const faults = new UpstreamFaults("fixture", context.random);
	const pending = new PendingCalls({ clock, faults, onGivenUp: () => {} });
	const asks = new OpenAsks({ send });
	const inbound = new Inbound({ context, pending, asks, faults, send });
	const add = (overrides: RequestOverrides = {}) => {
		const request = toolRequest("x", {}, overrides);
		const call = pending.add(request);
		call.token = progressToken(request.message);
		return call;
	};
	const receive = (text: string, via?: ReturnType<typeof add>) =>
		inbound.receive(Buffer.from(text), via);
	return { recorder, sent, pending, faults, add, receive };
}

const listed = '{"jsonrpc":"2.0","method":"notifications/tools/list_changed"}';
const logged = '{"jsonrpc":"2.0","method":"notifications/message","params":{"level":"info"}}';

test("replies find their calls by id, in any order", async () => {
	const { add, receive } = setUp();
	const calls = [add(), add(), add()];
	for (const { id } of calls.toReversed()) {
		assert.equal(receive(`{"jsonrpc":"2.0","id":${id},"result":{"n":${id}}}`).ok, true);
	}
	for (const call of calls) {
		const outcome = await call.outcome;
		assert.ok(outcome.ok && outcome.value.bytes.includes(`"n":${call.id}`));
	}
});

test("an id is compared as the number it was, not as something that looks like it", () => {
	const { recorder, add, receive } = setUp();
	const call = add();
	for (const id of [`"${call.id}"`, `${call.id}.0`, `-${call.id}`, `${call.id}e0`]) {
		receive(`{"jsonrpc":"2.0","id":${id},"result":{}}`);
	}
	assert.equal(call.settled, false);
	assert.equal(recorder.of("event").length, 4);
});

test("an error without a code or a message fails its call as what it is", async () => {
	for (const error of ["{}", '{"code":1}', '{"message":"x"}', '{"code":"1","message":"x"}']) {
		const { add, receive } = setUp();
		const call = add();
		receive(`{"jsonrpc":"2.0","id":${call.id},"error":${error}}`);
		const fault = faultOf(await call.outcome);
		assert.equal(fault.code, "server_protocol", error);
		assert.match(fault.message, /without a code or a message/);
	}
});

test("an error without an id ends the call on whose stream it came, and no other", async () => {
	const { recorder, add, receive } = setUp();
	const call = add();
	const text = '{"jsonrpc":"2.0","id":null,"error":{"code":-32700,"message":"?"}}';
	receive(text);
	assert.equal(call.settled, false);
	assert.equal(recorder.of("event").length, 1);
	receive(text, call);
	assert.equal(call.settled, true);
	receive(text, call);
	assert.equal(recorder.of("event").length, 2);
});

test("bytes that are no message are given back, with the reason", () => {
	const { receive, recorder } = setUp();
	const outcome = receive("starting up...");
	assert.ok(!outcome.ok && outcome.problem.code === -32700);
	assert.equal(receive("[]").ok, false);
	assert.deepEqual(recorder.lines, []);
});

test("what a call's stream brings belongs to the call, except what is about the server", () => {
	const own: string[] = [];
	const { recorder, add, receive } = setUp();
	const call = add({ onNotification: ({ method }) => own.push(method ?? "") });
	receive(logged, call);
	receive(listed, call);
	receive('{"jsonrpc":"2.0","method":"notifications/resources/updated"}', call);
	receive('{"jsonrpc":"2.0","method":"acme/news"}', call);
	assert.deepEqual(own, ["notifications/message", "acme/news"]);
	assert.equal(recorder.pushes.length, 2);
});

test("what a server logs on one channel belongs to the only call that listens, if there is one", () => {
	const own: string[] = [];
	const { recorder, add, receive } = setUp();
	receive(logged);
	assert.equal(recorder.pushes.length, 1);
	const call = add({ onNotification: ({ method }) => own.push(method ?? "") });
	receive(logged);
	receive('{"jsonrpc":"2.0","method":"acme/news"}');
	assert.deepEqual(own, ["notifications/message"]);
	assert.equal(recorder.pushes.length, 2);
	// A request of the gateway's own is not in the way, another client's is.
	add();
	receive(logged);
	assert.deepEqual(own, ["notifications/message", "notifications/message"]);
	add({ onNotification: () => assert.fail("nobody can tell that it is about this call") });
	receive(logged);
	assert.equal(recorder.pushes.length, 3);
	receive(`{"jsonrpc":"2.0","id":${call.id},"result":{}}`);
	assert.equal(own.length, 2);
});

test("what a subscription's stream brings belongs to the subscription", () => {
	const own: string[] = [];
	const { recorder, add, receive } = setUp();
	const text = '{"jsonrpc":"2.0","id":1,"method":"subscriptions/listen","params":{}}';
	const onNotification = ({ method }: { method: string | undefined }) => own.push(method ?? "");
	const call = add({ message: message(text), onNotification });
	receive(listed, call);
	assert.deepEqual(own, ["notifications/tools/list_changed"]);
	assert.deepEqual(recorder.pushes, []);
});

test("nothing reaches a call that has ended", () => {
	const { add, receive } = setUp();
	const call = add({
		token: "1",
		onNotification: () => assert.fail("too late"),
		onRequest: () => assert.fail("too late"),
	});
	receive(`{"jsonrpc":"2.0","id":${call.id},"result":{}}`);
	receive(logged, call);
	const params = `{"progressToken":${call.id},"progress":1}`;
	receive(`{"jsonrpc":"2.0","method":"notifications/progress","params":${params}}`, call);
	receive('{"jsonrpc":"2.0","id":"q","method":"roots/list"}', call);
});

test("a question of a call without ears goes to whoever answers for the server", () => {
	const { recorder, sent, add, receive } = setUp();
	add();
	receive('{"jsonrpc":"2.0","id":"q 1","method":"roots/list"}');
	assert.equal(recorder.asks.length, 1);
	recorder.asks[0]?.answer({ kind: "error", json: '{"code":1,"message":"x"}' });
	assert.deepEqual(sent, ['{"jsonrpc":"2.0","id":"q 1","error":{"code":1,"message":"x"}}']);
});

/** A call and what it was asked. */
function askedCall({ add }: ReturnType<typeof setUp>) {
	const asked: UpstreamAsk[] = [];
	const call = add({ onRequest: (ask) => asked.push(ask) });
	return { call, asked };
}

const question = '{"jsonrpc":"2.0","id":1,"method":"elicitation/create","params":{}}';
const roots = { kind: "result", json: '{"roots":[]}' } as const;

test("a question goes with the call on whose stream it came, and its id is free again", async () => {
	const setup = setUp();
	const first = askedCall(setup);
	setup.receive(question, first.call);
	setup.pending.settle(first.call, fail(setup.faults.exited(first.call, "broke")));
	await first.call.outcome;
	assert.equal(first.asked[0]?.signal.aborted, true);
	// The server was started anew and counts from the beginning.
	const second = askedCall(setup);
	setup.receive(question, second.call);
	first.asked[0]?.answer(roots);
	assert.deepEqual(setup.sent, []);
	second.asked[0]?.answer(roots);
	assert.deepEqual(setup.sent, ['{"jsonrpc":"2.0","id":1,"result":{"roots":[]}}']);
});

test("a server that waits on its one channel hears that the call it asked for has ended", async () => {
	const setup = setUp();
	const { call, asked } = askedCall(setup);
	setup.receive(question);
	setup.pending.settle(call, fail(setup.faults.cancelled(call)));
	await call.outcome;
	assert.equal(asked[0]?.signal.aborted, true);
	asked[0]?.answer(roots);
	assert.equal(setup.sent.length, 1);
	assert.match(setup.sent[0] ?? "", /^\{"jsonrpc":"2.0","id":1,"error":\{.*has ended/);
});

test("calls that are given up while they are asked leave room for those that follow", async () => {
	const setup = setUp();
	for (let n = 0; n < 300; n++) {
		const { call, asked } = askedCall(setup);
		setup.receive(question.replace("1,", `${n},`));
		assert.equal(asked.length, 1);
		setup.pending.settle(call, fail(setup.faults.cancelled(call)));
		await call.outcome;
	}
	assert.equal(setup.sent.filter((text) => text.includes("has ended")).length, 300);
});

test("an answered question is no business of its call's end", async () => {
	const setup = setUp();
	const { call, asked } = askedCall(setup);
	setup.receive(question);
	asked[0]?.answer(roots);
	setup.receive(`{"jsonrpc":"2.0","id":${call.id},"result":{}}`);
	await call.outcome;
	assert.equal(setup.sent.length, 1);
	assert.equal(asked[0]?.signal.aborted, false);
});

test("a ping is answered under its own id", () => {
	const { sent, recorder, receive } = setUp();
	receive('{"jsonrpc":"2.0","id":"\\u0070 1","method":"ping"}');
	assert.deepEqual(sent, ['{"jsonrpc":"2.0","id":"\\u0070 1","result":{}}']);
	assert.deepEqual(recorder.asks, []);
});

test("progress is told with the client's token, whatever that is", () => {
	const token = fc.oneof(
		fc.string().map((text) => JSON.stringify(text)),
		fc.integer().map(String),
		fc.constantFrom('"\\u0041"', "1.50", "1e2"),
	);
	fc.assert(
		fc.property(token, fc.string(), (client_token, text) => {
			const seen: string[] = [];
			const { add, receive } = setUp();
			const onNotification = ({ bytes }: { bytes: Buffer }) => seen.push(bytes.toString());
			const call = add({ token: client_token, onNotification });
			const write = (own: string) =>
				'{"jsonrpc":"2.0","method":"notifications/progress","params":' +
				`{"message":${JSON.stringify(text)},"progressToken": ${own} ,"progress":1.0}}`;
			receive(write(String(call.id)));
			assert.deepEqual(seen, [Buffer.from(write(client_token)).toString()]);
		}),
		{ numRuns: 100 },
	);
});

const subscription = "io.modelcontextprotocol/subscriptionId";

function listen(setup: ReturnType<typeof setUp>, id: string) {
	const heard: string[] = [];
	const text = `{"jsonrpc":"2.0","id":${id},"method":"subscriptions/listen","params":{}}`;
	const call = setup.add({
		message: message(text),
		onNotification: ({ bytes }) => heard.push(bytes.toString("utf8")),
	});
	const tagged = (tag: string) =>
		'{"jsonrpc":"2.0","method":"notifications/tools/list_changed","params":' +
		`{"_meta":{"${subscription}":${tag}}}}`;
	return { call, heard, tagged };
}

test("on one channel a subscription's id says whose a notification is", () => {
	const setup = setUp();
	const one = listen(setup, '"client\\u0020id"');
	const other = listen(setup, "1.0");
	setup.receive(one.tagged(String(one.call.id)));
	setup.receive(other.tagged(String(other.call.id)));
	setup.receive(one.tagged(String(one.call.id)));
	assert.deepEqual(one.heard, [one.tagged('"client\\u0020id"'), one.tagged('"client\\u0020id"')]);
	assert.deepEqual(other.heard, [other.tagged("1.0")]);
	assert.equal(setup.recorder.pushes.length, 0);
});

test("a notification with the id of no subscription belongs to no call", () => {
	const setup = setUp();
	const call = setup.add({ onNotification: () => assert.fail("this is no subscription") });
	const { tagged } = listen(setup, "1");
	setup.receive(tagged(String(call.id)));
	setup.receive(tagged("99"));
	setup.receive(tagged('"1"'));
	setup.receive(listed);
	assert.equal(setup.recorder.pushes.length, 4);
});

test("over HTTP what comes on a subscription's stream is its own, tagged or not", () => {
	const setup = setUp();
	const { call, heard, tagged } = listen(setup, "7");
	setup.receive(listed, call);
	setup.receive(tagged(String(call.id)), call);
	assert.deepEqual(heard, [listed, tagged("7")]);
});

test("a server that cancels a subscription ends it gracefully, and no other request", async () => {
	const setup = setUp();
	const { call } = listen(setup, "7");
	const other = setup.add();
	const cancel = (id: number) =>
		`{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":${id}}}`;
	setup.receive(cancel(other.id));
	assert.equal(other.settled, false);
	setup.receive(cancel(call.id));
	const outcome = await call.outcome;
	assert.ok(outcome.ok && outcome.value.kind === "result");
});

test("a subscription that has ended hears nothing more", () => {
	const setup = setUp();
	const { call, heard, tagged } = listen(setup, "7");
	setup.receive(`{"jsonrpc":"2.0","id":${call.id},"result":{}}`);
	setup.receive(tagged(String(call.id)), call);
	assert.deepEqual(heard, []);
});
