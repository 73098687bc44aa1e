import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { FakeClock } from "../../../test/support/fake-clock.ts";
import { SeededRandom } from "../../../test/support/seeded-random.ts";
import type { AskOutcome, UpstreamAsk } from "../../upstreams/driver.ts";
import { composeRequest } from "../../wire/compose.ts";
import type { Reply } from "../call.ts";
import { ModernRun, type RunViewer } from "./modern-run.ts";
import { ParkedCalls, parked_calls_max, parked_ms } from "./parked-calls.ts";

const owner = { principal: "ada", request: "digest" };
const reply: Reply = { kind: "result", json: "{}" };
const accepted: AskOutcome = { kind: "result", json: '{"action":"accept"}' };

/** A question of the server, with everything it was answered. */
class Question {
	readonly answers: AskOutcome[] = [];
	readonly #withdrawn = new AbortController();
	readonly ask: UpstreamAsk;

	constructor(id: number) {
		this.ask = {
			message: composeRequest(String(id), "elicitation/create", "{}"),
			signal: this.#withdrawn.signal,
			answer: (outcome) => void this.answers.push(outcome),
		};
	}

	get withdrawn(): boolean {
		return this.#withdrawn.signal.aborted;
	}

	withdraw(): void {
		this.#withdrawn.abort();
	}
}

/** One call of a client that comes and goes, its server, and the parking between them. */
class Model {
	readonly clock = new FakeClock();
	readonly parked = new ParkedCalls({
		clock: this.clock,
		random: new SeededRandom(1),
		key: Buffer.alloc(32, 7),
	});
	readonly questions: Question[] = [];
	/** How often each request of the client has ended, and whether its client left. */
	readonly viewers: { endings: number; left: boolean }[] = [];
	readonly spent: string[] = [];
	readonly cancel = new AbortController();
	readonly run: ModernRun;
	readonly #turns: (() => void)[] = [];
	state: string | undefined;
	keys: string[] = [];
	settled = false;

	constructor() {
		this.run = new ModernRun(this.#viewer(), {
			cancel: this.cancel,
			defer: (fn) => void this.#turns.push(fn),
			mayPark: () => !this.parked.full,
		});
	}

	#viewer(): RunViewer {
		const seen = { endings: 0, left: false };
		this.viewers.push(seen);
		return {
			notify: () => undefined,
			inputRequired: (questions) => {
				seen.endings += 1;
				this.keys = [...questions.keys()];
				this.state = this.parked.park(`call-${this.viewers.length}`, this.run, owner);
			},
			finish: () => {
				seen.endings += 1;
			},
		};
	}

	turn(): void {
		for (const fn of this.#turns.splice(0)) fn();
	}

	ask(): void {
		const question = new Question(this.questions.length);
		this.questions.push(question);
		this.run.ask(question.ask);
	}

	withdraw(at: number): void {
		this.questions[at % this.questions.length]?.withdraw();
	}

	/** The client comes back with its state and some of the answers. */
	retry(answered: number): void {
		if (this.state === undefined) return;
		const { state } = this;
		const found = this.parked.take(state, owner);
		this.spent.push(state);
		this.state = undefined;
		if (found instanceof ModernRun) {
			const keys = this.keys.filter((_, at) => ((answered >> at) & 1) === 1);
			found.resume(this.#viewer(), new Map(keys.map((key) => [key, accepted])));
		} else assert.equal(found, "over");
	}

	/** A state that was used is of no use to anybody. */
	replay(): void {
		for (const state of this.spent) assert.equal(this.parked.take(state, owner), "over");
	}

	/** The client closes the stream of the request that is open. */
	leave(): void {
		const viewer = this.viewers.at(-1);
		if (viewer === undefined || viewer.endings > 0) return;
		viewer.left = true;
		this.run.cancel();
	}

	settle(): void {
		if (this.settled) return;
		this.settled = true;
		this.run.settle(reply);
	}

	/** Everybody who waits must have heard exactly once by now. */
	check(): void {
		for (const { endings, left } of this.viewers) assert.equal(endings, left ? 0 : 1);
		for (const question of this.questions) {
			if (question.withdrawn) assert.ok(question.answers.length <= 1);
			else assert.equal(question.answers.length, 1);
		}
	}
}

const step = fc.oneof(
	fc.constant({ do: "ask" } as const),
	fc.constant({ do: "turn" } as const),
	fc.constant({ do: "leave" } as const),
	fc.constant({ do: "settle" } as const),
	fc.constant({ do: "expire" } as const),
	fc.constant({ do: "replay" } as const),
	fc.record({ do: fc.constant("withdraw" as const), at: fc.nat(20) }),
	fc.record({ do: fc.constant("retry" as const), answered: fc.nat(255) }),
);

test("whatever the order, each request has one answer and each question has one", async () => {
	await fc.assert(
		fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
			const model = new Model();
			for (const now of steps) {
				if (now.do === "withdraw") model.withdraw(now.at);
				else if (now.do === "retry") model.retry(now.answered);
				else if (now.do === "expire") await model.clock.advance(parked_ms);
				else model[now.do]();
			}
			model.turn();
			// The server always ends its call, at the latest when it is told to stop.
			model.settle();
			model.turn();
			model.retry(0);
			model.replay();
			model.check();
			await model.clock.advance(parked_ms);
			assert.equal(model.parked.count, 0);
		}),
		{ numRuns: 500 },
	);
});

test("a state works for the same request of the same caller only", () => {
	const model = new Model();
	model.ask();
	model.turn();
	const state = model.state ?? "";
	assert.equal(model.parked.take(state, { ...owner, principal: "eve" }), "invalid");
	assert.equal(model.parked.take(state, { ...owner, request: "other" }), "invalid");
	assert.equal(model.parked.take(`${state}x`, owner), "invalid");
	assert.equal(model.parked.take("moorage1.", owner), "invalid");
	assert.equal(model.parked.take(state, owner), model.run);
});

test("a call that waits too long is given up, and its server is told to stop", async () => {
	const model = new Model();
	model.ask();
	model.turn();
	await model.clock.advance(parked_ms - 1);
	assert.equal(model.cancel.signal.aborted, false);
	await model.clock.advance(1);
	assert.equal(model.cancel.signal.aborted, true);
	assert.equal(model.parked.take(model.state ?? "", owner), "over");
	assert.equal(model.questions[0]?.answers[0]?.kind, "error");
});

test("only so many calls are parked; the next question is refused at once", () => {
	const model = new Model();
	for (let at = 0; at < parked_calls_max; at += 1) model.parked.park(`x${at}`, model.run, owner);
	assert.ok(model.parked.full);
	model.ask();
	assert.equal(model.questions[0]?.answers[0]?.kind, "error");
	model.parked.close();
	assert.equal(model.parked.count, 0);
});

test("a state with nothing parked behind it says that the request is sent again", async () => {
	const model = new Model();
	const state = model.parked.sealRetry(owner);
	assert.equal(model.parked.take(state, owner), "again");
	assert.equal(model.parked.take(state, { ...owner, request: "other" }), "invalid");
	await model.clock.advance(parked_ms);
	assert.equal(model.parked.take(state, owner), "over");
});

test("closing gives up every parked call", () => {
	const model = new Model();
	model.ask();
	model.turn();
	model.parked.close();
	assert.equal(model.cancel.signal.aborted, true);
	assert.equal(model.questions[0]?.answers.length, 1);
});

test("one tenant parks calls only as long as others find room", async () => {
	const { parked, run, clock } = new Model();
	const parkAll = (principal: string, is_shared: boolean) => {
		let count = 0;
		for (; parked.mayPark(principal, is_shared); count += 1) {
			parked.park(`${principal} ${count}`, run, { principal, request: "digest" });
		}
		return count;
	};
	assert.equal(parkAll("acme/ana", true), 500);
	// All people of a tenant share its part.
	assert.equal(parkAll("acme/bob", true), 0);
	assert.equal(parkAll("other/eve", true), 250);
	// Without identity there is one tenant.
	assert.equal(parkAll("local", false), 250);
	assert.equal(parked.mayPark("late/ada", true), false);
	await clock.advance(parked_ms);
	assert.equal(parked.count, 0);
	assert.equal(parkAll("other/eve", true), 500);
	parked.close();
	assert.equal(parkAll("acme/ana", true), 500);
	parked.close();
});
