import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { AskOutcome, UpstreamAsk } from "../../upstreams/driver.ts";
import { indexMessage } from "../../wire/index-message.ts";
import type { Channel } from "./channel.ts";
import { LegacyQuestions } from "./legacy-questions.ts";

const answer = (text: string): AskOutcome => ({ kind: "result", json: JSON.stringify(text) });

interface Sent {
	readonly id?: string;
	readonly method: string;
	readonly params: { readonly requestId?: string };
}

/** A call's stream, and what was sent on it. */
function channel(stream: string | undefined): Channel & { readonly sent: Sent[] } {
	const sent: Sent[] = [];
	return {
		sent,
		stream,
		takes_streams: true,
		finished: false,
		send: (bytes) => void sent.push(JSON.parse(bytes.toString("utf8"))),
		finish: () => assert.fail("a question does not end a call"),
		end: () => assert.fail("a question does not end a call"),
	};
}

function question(): { ask: UpstreamAsk; answers: AskOutcome[]; withdraw: () => void } {
	const text = '{"jsonrpc":"2.0","id":"server 1","method":"roots/list","params":{}}';
	const indexed = indexMessage(Buffer.from(text));
	assert.ok(indexed.ok);
	const controller = new AbortController();
	const answers: AskOutcome[] = [];
	const ask = {
		message: indexed.value,
		answer: (outcome: AskOutcome) => void answers.push(outcome),
		signal: controller.signal,
	};
	return { ask, answers, withdraw: () => controller.abort() };
}

const raw = (sent: Sent | undefined) => JSON.stringify(sent?.id);

test("a question is asked under an id of the gateway's own and answered once", () => {
	const questions = new LegacyQuestions("run");
	const reply = channel("a");
	const { ask, answers } = question();
	questions.ask(ask, reply);
	assert.deepEqual(
		reply.sent.map(({ id, method }) => [id, method]),
		[["run-1", "roots/list"]],
	);
	assert.equal(questions.answered('"server 1"', answer("wrong")), false);
	assert.equal(questions.answered('"run-1"', answer("one")), true);
	assert.equal(questions.answered('"run-1"', answer("two")), false);
	assert.deepEqual(answers, [answer("one")]);
});

test("a question that is withdrawn is taken back from the client", () => {
	const questions = new LegacyQuestions("run");
	const reply = channel("a");
	const { ask, answers, withdraw } = question();
	questions.ask(ask, reply);
	withdraw();
	assert.equal(reply.sent.at(-1)?.method, "notifications/cancelled");
	assert.equal(reply.sent.at(-1)?.params.requestId, "run-1");
	assert.equal(questions.answered('"run-1"', answer("late")), false);
	assert.deepEqual(answers, []);
});

test("what is open on a stream that is taken up is taken back and asked under a new id", () => {
	const questions = new LegacyQuestions("run");
	const [one, other] = [channel("a"), channel("b")];
	const [first, second, done] = [question(), question(), question()];
	questions.ask(first.ask, one);
	questions.ask(second.ask, other);
	questions.ask(done.ask, one);
	questions.answered('"run-3"', answer("done"));
	questions.again("a");
	assert.deepEqual(
		one.sent.slice(2).map(({ id, params }) => id ?? params.requestId),
		["run-1", "run-4"],
	);
	assert.equal(other.sent.length, 1);
	assert.equal(questions.answered('"run-4"', answer("again")), true);
	assert.deepEqual(first.answers, [answer("again")]);
	// Whoever answers last is asked no more: there is nothing to take back.
	assert.equal(one.sent.length, 4);
});

test("an answer that was on its way when a question was asked anew counts, and the new one is taken back", () => {
	const questions = new LegacyQuestions("run");
	const reply = channel("a");
	const { ask, answers, withdraw } = question();
	questions.ask(ask, reply);
	questions.again("a");
	assert.equal(questions.answered('"run-1"', answer("first")), true);
	assert.equal(reply.sent.at(-1)?.params.requestId, "run-2");
	assert.equal(questions.answered('"run-2"', answer("second")), false);
	assert.deepEqual(answers, [answer("first")]);
	const said = reply.sent.length;
	withdraw();
	assert.equal(reply.sent.length, said, "an answered question is nothing to take back");
});

test("a question without a recorded stream is never asked anew", () => {
	const questions = new LegacyQuestions("run");
	const reply = channel(undefined);
	questions.ask(question().ask, reply);
	questions.again("a");
	assert.equal(reply.sent.length, 1);
});

test("however answers, returns and withdrawals interleave, each question is answered at most once and under no id twice", () => {
	const step = fc.record({
		kind: fc.constantFrom("ask", "again", "answer", "withdraw"),
		at: fc.nat({ max: 9 }),
	});
	const property = fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
		const questions = new LegacyQuestions("run");
		const replies = [channel("0"), channel("1")];
		const asked: ReturnType<typeof question>[] = [];
		for (const { kind, at } of steps) {
			if (kind === "ask") {
				asked.push(question());
				questions.ask(asked.at(-1)?.ask as UpstreamAsk, replies[at % 2] as Channel);
			}
			if (kind === "again") questions.again(String(at % 2));
			const ids = replies.flatMap(({ sent }) => sent).filter(({ id }) => id !== undefined);
			const found = ids[at % Math.max(ids.length, 1)];
			if (kind === "answer" && found !== undefined) {
				const before = asked.flatMap(({ answers }) => answers).length;
				const taken = questions.answered(raw(found), answer("x"));
				assert.equal(asked.flatMap(({ answers }) => answers).length, before + (taken ? 1 : 0));
			}
			if (kind === "withdraw") asked[at]?.withdraw();
			for (const { answers } of asked) assert.ok(answers.length <= 1);
			assert.equal(new Set(ids.map(({ id }) => id)).size, ids.length);
		}
	});
	fc.assert(property, { numRuns: 200 });
});
