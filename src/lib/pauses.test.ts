import assert from "node:assert/strict";
import { once } from "node:events";
import { test } from "node:test";
import { Worker } from "node:worker_threads";
import { Hurry, Pauses } from "./pauses.ts";

const pieces = 40;

/** What so many pieces of work take with a pause after each. */
function took(hurry: Hurry): number {
	const { afterPiece } = new Pauses(hurry.memory, 1);
	const began_ms = performance.now();
	for (let piece = 0; piece < pieces; piece += 1) afterPiece();
	return performance.now() - began_ms;
}

test("work that nobody waits for is done with pauses, and other work without", () => {
	const hurry = new Hurry();
	assert.ok(took(hurry) >= pieces);
	hurry.set(true);
	assert.ok(took(hurry) < pieces);
	hurry.set(false);
	assert.ok(took(hurry) >= pieces);
});

test("nothing pauses as long as anybody waits for something", async () => {
	const hurry = new Hurry();
	const [first, second] = [Promise.withResolvers<number>(), Promise.withResolvers<number>()];
	const both = [hurry.during(first.promise), hurry.during(second.promise)] as const;
	hurry.set(false);
	first.resolve(1);
	await both[0];
	assert.ok(took(hurry) < pieces);
	second.reject(new Error("it fell"));
	await assert.rejects(both[1], /it fell/);
	assert.ok(took(hurry) >= pieces);
});

test("a pause comes after as many pieces as it is told", () => {
	const { afterPiece } = new Pauses(new Hurry().memory, pieces);
	const began_ms = performance.now();
	for (let piece = 1; piece < pieces; piece += 1) afterPiece();
	const before_ms = performance.now();
	afterPiece();
	const paused_ms = performance.now() - before_ms;
	assert.ok(paused_ms >= 1 && before_ms - began_ms < paused_ms * pieces);
});

test("what one thread says of its hurry, another one knows", async () => {
	const hurry = new Hurry();
	// It pauses until it is told that somebody waits: otherwise for a minute.
	const program = `
		import { parentPort, workerData } from "node:worker_threads";
		parentPort.postMessage("pauses");
		parentPort.postMessage(Atomics.wait(new Int32Array(workerData), 0, 0, 60_000));
	`;
	const worker = new Worker(new URL(`data:text/javascript,${encodeURIComponent(program)}`), {
		workerData: hurry.memory,
	});
	const [first] = await once(worker, "message");
	assert.equal(first, "pauses");
	hurry.set(true);
	const [ended] = await once(worker, "message");
	assert.match(ended, /^(ok|not-equal)$/);
	await worker.terminate();
});
