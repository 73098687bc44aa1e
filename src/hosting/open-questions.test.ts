import assert from "node:assert/strict";
import { test } from "node:test";
import type { AskOutcome, UpstreamAsk } from "../upstreams/driver.ts";
import { OpenQuestions } from "./open-questions.ts";

function question(signal: AbortSignal) {
	const answers: AskOutcome[] = [];
	// Nothing here looks at the message itself.
	const ask = { signal, answer: (outcome: AskOutcome) => answers.push(outcome) };
	return { ask: ask as unknown as UpstreamAsk, answers };
}

const outcome: AskOutcome = { kind: "result", json: "{}" };

test("a question counts until it is answered, and its answer is passed on", () => {
	let closed = 0;
	const questions = new OpenQuestions(() => closed++);
	const { ask, answers } = question(new AbortController().signal);
	const watched = questions.watch(ask);
	assert.equal(questions.count, 1);
	watched.answer(outcome);
	watched.answer(outcome);
	assert.equal(questions.count, 0);
	assert.equal(closed, 1);
	// That later answers are ignored is the driver's promise, not this one's.
	assert.deepEqual(answers, [outcome, outcome]);
});

test("a question counts until it is withdrawn", () => {
	let closed = 0;
	const questions = new OpenQuestions(() => closed++);
	const withdrawn = new AbortController();
	const watched = questions.watch(question(withdrawn.signal).ask);
	const other = questions.watch(question(new AbortController().signal).ask);
	assert.equal(questions.count, 2);
	withdrawn.abort();
	watched.answer(outcome);
	assert.equal(questions.count, 1);
	other.answer(outcome);
	assert.equal(questions.count, 0);
	assert.equal(closed, 2);
});

test("a question that was withdrawn before it came does not count", () => {
	const questions = new OpenQuestions(() => undefined);
	const { ask } = question(AbortSignal.abort());
	assert.equal(questions.watch(ask), ask);
	assert.equal(questions.count, 0);
});
