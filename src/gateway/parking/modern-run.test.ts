import assert from "node:assert/strict";
import { test } from "node:test";
import type { AskOutcome, UpstreamAsk } from "../../upstreams/driver.ts";
import { indexMessage } from "../../wire/index-message.ts";
import type { Reply } from "../call.ts";
import { inputRequestsJson, ModernRun, type RunViewer } from "./modern-run.ts";

/** A request that looks at a run and keeps what it sees. */
class Viewer implements RunViewer {
	questions: string[] = [];
	json = "";
	reply: Reply | undefined;

	notify(): void {}

	inputRequired(questions: ReadonlyMap<string, UpstreamAsk>): void {
		this.questions = [...questions.keys()];
		this.json = inputRequestsJson(questions);
	}

	finish(reply: Reply): void {
		this.reply = reply;
	}
}

/** A question of a server; its answers are kept. */
function question(id: string, params = "{}") {
	const bytes = `{"jsonrpc":"2.0","id":${id},"method":"elicitation/create","params":${params}}`;
	const indexed = indexMessage(Buffer.from(bytes));
	assert.ok(indexed.ok);
	const answers: AskOutcome[] = [];
	const withdrawn = new AbortController();
	const ask: UpstreamAsk = {
		message: indexed.value,
		signal: withdrawn.signal,
		answer: (outcome) => void answers.push(outcome),
	};
	return { ask, answers, withdraw: () => withdrawn.abort() };
}

function start(may_park = true) {
	const viewer = new Viewer();
	const cancel = new AbortController();
	const turns: (() => void)[] = [];
	const run = new ModernRun(viewer, {
		cancel,
		defer: (fn) => void turns.push(fn),
		mayPark: () => may_park,
	});
	const turn = () => {
		for (const fn of turns.splice(0)) fn();
	};
	return { viewer, run, turn, cancel };
}

const result = (text: string): AskOutcome => ({ kind: "result", json: Buffer.from(text) });

test("questions asked in one turn are one round", () => {
	const { viewer, run, turn } = start();
	for (const id of ["1", "2"]) run.ask(question(id).ask);
	turn();
	assert.deepEqual(viewer.questions, ["q1", "q2"]);
	assert.equal(run.state, "parked");
	assert.equal(run.round, 1);
});

test("a question is called what its server calls it, where that is a name", () => {
	const { viewer, run, turn } = start();
	const ids = ['"user_name"', "7", '"not a name"', '"7"', `"${"x".repeat(65)}"`, '"q1"'];
	for (const id of ids) run.ask(question(id).ask);
	turn();
	assert.deepEqual(viewer.questions, ["user_name", "q1", "q2", "q3", "q4", "q5"]);
});

test("two questions of one name are told apart", () => {
	const { viewer, run, turn } = start();
	for (const id of ['"name"', '"name"']) run.ask(question(id).ask);
	turn();
	assert.deepEqual(viewer.questions, ["name", "q1"]);
});

test("answers go to the questions they are for, and what is left is asked again", () => {
	const { run, turn } = start();
	const first = question('"first"');
	const second = question('"second"');
	run.ask(first.ask);
	run.ask(second.ask);
	turn();
	const next = new Viewer();
	run.resume(next, new Map([["second", result('{"action":"decline"}')]]));
	turn();
	assert.deepEqual(first.answers, []);
	assert.deepEqual(second.answers, [result('{"action":"decline"}')]);
	assert.deepEqual(next.questions, ["first"]);
	assert.equal(run.round, 2);
});

test("a question that its server takes back is not asked", () => {
	const { viewer, run, turn } = start();
	const taken_back = question("1");
	run.ask(taken_back.ask);
	taken_back.withdraw();
	turn();
	assert.deepEqual(viewer.questions, []);
	assert.equal(run.state, "running");
});

test("a question is refused at once where nothing more can be parked", () => {
	const { run } = start(false);
	const { ask, answers } = question("1");
	run.ask(ask);
	assert.equal(answers[0]?.kind, "error");
});

test("a reply that comes while nobody looks is given to the next request", () => {
	const { run, turn } = start();
	run.ask(question("1").ask);
	turn();
	const reply: Reply = { kind: "result", json: "{}" };
	run.settle(reply);
	const next = new Viewer();
	run.resume(next, new Map());
	assert.equal(next.reply, reply);
});

test("a question loses for a modern client what only legacy questions have", () => {
	const { viewer, run, turn } = start();
	run.ask(question("1", '{"message":"?","elicitationId":"e","_meta":{"a":1},"n":1.0}').ask);
	turn();
	assert.equal(
		viewer.json,
		'{"q1":{"method":"elicitation/create","params":{"message":"?","n":1.0}}}',
	);
});
