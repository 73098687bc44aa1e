import assert from "node:assert/strict";
import { test } from "node:test";
import { Worker } from "node:worker_threads";
import { FakeClock } from "../../test/support/fake-clock.ts";
import { WorkerLink } from "./worker-link.ts";

interface Question {
	readonly kind: "ask";
	readonly ask: "echo" | "refuse" | "fall" | "close";
}

/** Answers, refuses, or falls; and says which batch it was given. */
const program = `
	const { parentPort } = require("node:worker_threads");
	parentPort.on("message", (message) => {
		if (message.kind === "batch") parentPort.postMessage({ kind: "done", batch: message.batch });
		else if (message.ask === "fall") throw new Error("it fell");
		else {
			const error = message.ask === "refuse" ? "not now" : undefined;
			parentPort.postMessage({ kind: "answer", id: message.id, value: message.ask, error });
		}
	});`;

function build() {
	const clock = new FakeClock();
	const heard: string[] = [];
	let started = 0;
	const link = new WorkerLink<Question, { kind: "done"; batch: number }>({
		clock,
		start() {
			started += 1;
			return new Worker(program, { eval: true });
		},
		onMessage: ({ batch }) => {
			heard.push(`done ${batch}`);
			link.reached(batch + 1);
		},
		onFallen: (error) => heard.push(`fallen ${error?.message ?? ""}`),
	});
	return { clock, heard, link, started: () => started };
}

test("a thread is started when it is first asked, answers, and refuses with its reason", async () => {
	const { link, started } = build();
	assert.equal(link.runs, false);
	assert.equal(await link.ask({ kind: "ask", ask: "echo" }), "echo");
	await assert.rejects(link.ask({ kind: "ask", ask: "refuse" }), /not now/);
	assert.equal(started(), 1);
	await link.end({ kind: "ask", ask: "close" });
	assert.equal(link.runs, false);
});

test("who waits for a batch goes on when that is no longer on its way", async () => {
	const { heard, link } = build();
	link.worker()?.postMessage({ kind: "batch", batch: 1 }, []);
	await link.until(1);
	assert.deepEqual(heard, ["done 1"]);
	await link.end({ kind: "ask", ask: "close" });
});

test("a thread that falls leaves nobody waiting, and is started again after a second", async () => {
	const { clock, heard, link, started } = build();
	await assert.rejects(link.ask({ kind: "ask", ask: "fall" }), /it fell/);
	assert.deepEqual(heard, ["fallen it fell"]);
	await assert.rejects(link.ask({ kind: "ask", ask: "echo" }), /does not run/);
	await clock.advance(1_000);
	assert.equal(await link.ask({ kind: "ask", ask: "echo" }), "echo");
	assert.equal(started(), 2);
	await link.end({ kind: "ask", ask: "close" });
});

test("a thread rests when nothing is on its way to it, and is started again when it is asked", async () => {
	const { heard, link, started } = build();
	const close = { kind: "ask", ask: "close" } as const;
	await link.rest(close, () => true);
	assert.equal(started(), 0);
	assert.equal(await link.ask({ kind: "ask", ask: "echo" }), "echo");
	await link.rest(close, () => false);
	assert.equal(link.runs, true);
	const [, answer] = await Promise.all([
		link.rest(close, () => true),
		link.ask({ kind: "ask", ask: "echo" }),
	]);
	assert.deepEqual([answer, link.runs], ["echo", true]);
	await link.rest(close, () => true);
	assert.equal(link.runs, false);
	assert.equal(await link.ask({ kind: "ask", ask: "echo" }), "echo");
	assert.equal(started(), 2);
	assert.deepEqual(heard, []);
	await link.end(close);
});

test("ending a thread that never ran starts none", async () => {
	const { link, started } = build();
	await link.end({ kind: "ask", ask: "close" });
	assert.equal(started(), 0);
});
