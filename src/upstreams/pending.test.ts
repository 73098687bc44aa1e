import assert from "node:assert/strict";
import { test } from "node:test";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import fc from "fast-check";
import { FakeClock } from "../../test/support/fake-clock.ts";
import { SeededRandom } from "../../test/support/seeded-random.ts";
import { faultOf, message, taken, toolRequest } from "../../test/support/upstream-harness.ts";
import { succeed } from "../lib/result.ts";
import type { Message } from "../wire/message.ts";
import { UpstreamFaults } from "./faults.ts";
import { type Outcome, type PendingCall, PendingCalls } from "./pending.ts";

const call_ms = 1_000;

function setUp() {
	const clock = new FakeClock();
	const faults = new UpstreamFaults("fixture", new SeededRandom(1));
	const given_up: PendingCall[] = [];
	const pending = new PendingCalls({ clock, faults, onGivenUp: (call) => given_up.push(call) });
	const add = (signal = new AbortController().signal) =>
		pending.add(toolRequest("echo", {}, { signal, call_ms }));
	return { clock, faults, given_up, pending, add };
}

const listening = message('{"jsonrpc":"2.0","id":1,"method":"subscriptions/listen"}');

function replyTo(call: PendingCall): Message {
	return message(`{"jsonrpc":"2.0","id":${call.id},"result":{}}`);
}

test("each call has an id of its own and is found by it until it is settled", async () => {
	const { pending, add } = setUp();
	const [first, second] = [add(), add()];
	assert.notEqual(first.id, second.id);
	assert.equal(pending.get(first.id), first);
	assert.equal(pending.settle(first, succeed(replyTo(first))), true);
	assert.equal(pending.get(first.id), undefined);
	assert.equal(pending.get(undefined), undefined);
	assert.equal((await first.outcome).ok, true);
	assert.equal(pending.size, 1);
});

test("a call is settled by what comes first and by nothing after it", async () => {
	const { clock, faults, given_up, pending, add } = setUp();
	const cancel = new AbortController();
	const call = add(cancel.signal);
	assert.equal(pending.settle(call, succeed(replyTo(call))), true);
	assert.equal(pending.settle(call, { ok: false, problem: faults.gone() }), false);
	cancel.abort();
	await clock.advance(10 * call_ms);
	pending.failAll((late) => faults.exited(late, "went away"));
	assert.equal((await call.outcome).ok, true);
	assert.deepEqual(given_up, []);
});

test("what a call held is gone with it, and does not wait until the whole heap is gone through", () => {
	const { pending } = setUp();
	setFlagsFromString("--expose-gc");
	const collect = runInNewContext("gc") as (options: { type: "minor" }) => void;
	setFlagsFromString("--no-expose-gc");
	const calls = 50;
	// Few and small, so that nothing makes V8 go through the whole heap by itself.
	const held_bytes = 32 * 1024;
	const callOften = (count: number) => {
		for (let made = 0; made < count; made += 1) {
			const held = new Array<number>(held_bytes / 8).fill(0.5);
			const params = { signal: new AbortController().signal, call_ms };
			const request = { ...toolRequest("echo", {}, params), backlog: () => void held.length };
			const call = pending.add(request);
			pending.settle(call, succeed(replyTo(call)));
		}
		// What has survived once is made old by the second.
		for (let time = 0; time < 2; time += 1) collect({ type: "minor" });
		return process.memoryUsage().heapUsed;
	};
	const before_bytes = callOften(1);
	const grown_bytes = callOften(calls) - before_bytes;
	assert.ok(grown_bytes < (calls * held_bytes) / 2, `${grown_bytes} bytes are still there`);
});

test("a subscription is in flight for ever and counts for nothing", async () => {
	const { clock, pending, add } = setUp();
	const params = { signal: new AbortController().signal, call_ms: 2 ** 31 - 1 };
	const listen = { ...toolRequest("echo", {}, params), message: listening };
	const subscription = pending.add(listen);
	const call = add();
	assert.equal(pending.size, 1);
	let drained = false;
	void pending.drain(60_000).then(() => {
		drained = true;
	});
	pending.settle(call, succeed(replyTo(call)));
	await clock.advance(0);
	assert.equal(drained, true);
	assert.equal(pending.size, 0);
	assert.equal(pending.get(subscription.id), subscription);
	await pending.drain(60_000);
	pending.settle(subscription, succeed(replyTo(subscription)));
	assert.equal(pending.size, 0);
});

test("the only call of a client in flight is told from one of several", () => {
	const { faults, pending, add: addOwn } = setUp();
	const onNotification = () => undefined;
	const add = () => pending.add(toolRequest("echo", {}, { call_ms, onNotification }));
	addOwn();
	assert.equal(pending.only(), undefined);
	const call = add();
	assert.equal(pending.only(), call);
	const other = add();
	assert.equal(pending.only(), undefined);
	pending.settle(call, { ok: false, problem: faults.gone() });
	assert.equal(pending.only(), other);
});

test("progress gives a call its whole time again", async () => {
	const { clock, pending, add } = setUp();
	const call = add();
	await clock.advance(900);
	pending.progressed(call);
	await clock.advance(900);
	assert.equal(call.settled, false);
	await clock.advance(100);
	assert.equal(faultOf(await call.outcome).code, "call_timeout");
});

test("while a call's questions are open its time stands still, but not for ever", async () => {
	const { clock, pending, add } = setUp();
	const call = add();
	pending.asked(call);
	pending.asked(call);
	await clock.advance(60_000);
	pending.answered(call);
	await clock.advance(60_000);
	assert.equal(call.settled, false);
	pending.answered(call);
	await clock.advance(call_ms);
	assert.equal(faultOf(await call.outcome).code, "call_timeout");

	const forgotten = add();
	pending.asked(forgotten);
	await clock.advance(600_000);
	assert.equal(faultOf(await forgotten.outcome).code, "call_timeout");
	pending.answered(forgotten);
	pending.progressed(forgotten);
	assert.equal(clock.pending, 0);
});

test("a call that is given up stops its transport before the server is told", async () => {
	const { given_up, add } = setUp();
	const cancel = new AbortController();
	const call = add(cancel.signal);
	const order: string[] = [];
	call.stop = () => order.push(`stopped, told ${given_up.length}`);
	cancel.abort();
	assert.equal(faultOf(await call.outcome).code, "call_cancelled");
	assert.deepEqual(order, ["stopped, told 0"]);
	assert.deepEqual(given_up, [call]);
});

test("what was never written may be repeated, what was written may not", async () => {
	const { faults, pending, add } = setUp();
	const [unseen, seen] = [add(), add()];
	seen.written = true;
	pending.failAll((call) => faults.exited(call, "exited with code 1"));
	assert.equal(faultOf(await unseen.outcome).retry_safe, true);
	assert.equal(faultOf(await seen.outcome).retry_safe, false);
});

test("a list may be repeated even when it was written", () => {
	const { faults, pending } = setUp();
	const text = '{"jsonrpc":"2.0","id":1,"method":"tools/list"}';
	const call = pending.add({ ...toolRequest("x"), message: message(text) });
	call.written = true;
	assert.equal(faults.exited(call, "exited with code 1").retry_safe, true);
});

/** One thing that may happen to the calls of a connection. */
type Event =
	| { readonly kind: "add" }
	| { readonly kind: "write" | "reply" | "cancel" | "progress" | "ask" | "answer"; at: number }
	| { readonly kind: "wait"; readonly wait_ms: number }
	| { readonly kind: "gone" };

const at = fc.nat(7);
const events: fc.Arbitrary<Event[]> = fc.array(
	fc.oneof(
		fc.constant({ kind: "add" } as const),
		fc.record({
			kind: fc.constantFrom("write", "reply", "cancel", "progress", "ask", "answer"),
			at,
		}) as fc.Arbitrary<Event>,
		fc.record({ kind: fc.constant("wait" as const), wait_ms: fc.nat(1_500) }),
		fc.constant({ kind: "gone" } as const),
	),
	{ maxLength: 60 },
);

/** What the model knows of a call. */
interface Model {
	readonly call: PendingCall;
	readonly cancel: AbortController;
	readonly outcomes: Outcome[];
	expected: string | undefined;
	due_ms: number;
	asks: number;
}

test("whatever happens in whatever order, every call ends once and as the first event says", async () => {
	await fc.assert(
		fc.asyncProperty(events, async (list) => {
			const { clock, faults, given_up, pending } = setUp();
			const models: Model[] = [];
			const open = () => models.filter(({ expected }) => expected === undefined);
			for (const event of list) {
				if (event.kind === "add") {
					models.push(addModel(pending, clock));
				} else if (event.kind === "wait") {
					const now_ms = clock.monotonic() + event.wait_ms;
					for (const model of open()) if (model.due_ms <= now_ms) model.expected = "call_timeout";
					await clock.advance(event.wait_ms);
				} else if (event.kind === "gone") {
					for (const model of open()) model.expected = "server_exited";
					pending.failAll((call) => faults.exited(call, "went away"));
				} else {
					const model = models[event.at];
					if (model !== undefined) happen(event.kind, model, pending, clock);
				}
				assert.equal(pending.size, open().length);
			}
			for (const model of open()) model.expected = "server_exited";
			pending.failAll((call) => faults.exited(call, "went away"));
			await clock.advance(0);
			for (const { call, outcomes, expected } of models) {
				assert.equal(outcomes.length, 1);
				const [outcome] = outcomes as [Outcome];
				assert.equal(outcome.ok ? "reply" : outcome.problem.code, expected);
				if (outcome.ok) assert.deepEqual(taken(outcome).bytes, replyTo(call).bytes);
			}
			const told = models.filter(({ expected }) => /cancelled|timeout/.test(expected ?? ""));
			assert.equal(given_up.length, told.length);
			assert.equal(clock.pending, 0);
		}),
		{ numRuns: 300 },
	);
});

function addModel(pending: PendingCalls, clock: FakeClock): Model {
	const cancel = new AbortController();
	const call = pending.add(toolRequest("echo", {}, { signal: cancel.signal, call_ms }));
	const outcomes: Outcome[] = [];
	void call.outcome.then((outcome) => outcomes.push(outcome));
	const due_ms = clock.monotonic() + call_ms;
	return { call, cancel, outcomes, expected: undefined, due_ms, asks: 0 };
}

function happen(kind: string, model: Model, pending: PendingCalls, clock: FakeClock): void {
	const { call } = model;
	const now_ms = clock.monotonic();
	if (kind === "write") call.written = true;
	else if (kind === "reply") {
		const settled = pending.settle(call, succeed(replyTo(call)));
		assert.equal(settled, model.expected === undefined);
		model.expected ??= "reply";
	} else if (kind === "cancel") {
		model.expected ??= "call_cancelled";
		model.cancel.abort();
	} else if (kind === "progress") {
		pending.progressed(call);
		model.due_ms = now_ms + (model.asks > 0 ? 600_000 : call_ms);
	} else if (kind === "ask") {
		pending.asked(call);
		model.asks += 1;
		model.due_ms = now_ms + 600_000;
	} else if (model.asks > 0) {
		pending.answered(call);
		model.asks -= 1;
		if (model.asks === 0) model.due_ms = now_ms + call_ms;
	}
}

test("while a call is held back its time stands still, and too long a time is its client's", async () => {
	const { clock, pending, add } = setUp();
	const patient = add();
	pending.held(patient);
	assert.equal(patient.is_held, true);
	await clock.advance(10 * call_ms);
	assert.equal(patient.settled, false);
	pending.letGo(patient);
	await clock.advance(call_ms);
	assert.match(faultOf(await patient.outcome).message, /did not answer/);
	const unread = add();
	pending.held(unread);
	await clock.advance(600_000);
	const fault = faultOf(await unread.outcome);
	assert.equal(fault.code, "call_timeout");
	assert.match(fault.message, /has not read what came for 600 s/);
});

test("a call is alone when nothing else is in flight, subscriptions included", () => {
	const { pending, add } = setUp();
	assert.equal(pending.sole(), undefined);
	const call = add();
	assert.equal(pending.sole(), call);
	const signal = new AbortController().signal;
	const listen = { ...toolRequest("echo", {}, { signal, call_ms }), message: listening };
	const subscription = pending.add(listen);
	assert.equal(pending.sole(), undefined);
	pending.settle(subscription, succeed(replyTo(subscription)));
	assert.equal(pending.sole(), call);
});
