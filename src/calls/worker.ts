import { parentPort, receiveMessageOnPort, workerData } from "node:worker_threads";
import { assert } from "../lib/assert.ts";
import { systemClock } from "../lib/clock.ts";
import { collectWhenIdle, thisProcess } from "../lib/idle-collection.ts";
import { Pauses } from "../lib/pauses.ts";
import { yieldToOthers } from "../lib/thread-priority.ts";
import { CallsKeeper } from "./keeper.ts";
import type { CallsThreadData, LinesMessage, ToWorker } from "./messages.ts";

/** The thread that keeps the call log: what waited while it was busy is kept at once. */

/** Lines of so many messages are one transaction. */
const messages_max = 8;
/**
 * Nobody waits for a line: calls go first where there are few processors. By no more than that the
 * lines of a busy machine are kept too: it has a fifth of the time of one that is not nice.
 */
const nice = 7;
/** Lines between two pauses: a millisecond of work. */
const lines_apart = 256;
/** Between two pieces of work on what an older version has kept: lines come first. */
const modernize_apart_ms = 100;

assert(parentPort !== null, "this module runs as a worker");
const port = parentPort;
const data = workerData as CallsThreadData;
const keeper = new CallsKeeper(data, {
	now: () => systemClock.now(),
	monotonic: () => systemClock.monotonic(),
	afterLine: new Pauses(data.hurry, lines_apart).afterPiece,
});

let is_modernizing = false;

function modernizeLater(): void {
	if (is_modernizing) return;
	is_modernizing = true;
	systemClock.afterIdle(modernize_apart_ms, () => {
		is_modernizing = false;
		if (keeper.modernize()) modernizeLater();
	});
}

yieldToOthers(nice);

const own = thisProcess(systemClock, () => false);
if (own !== undefined) collectWhenIdle(own);

port.on("message", (first: ToWorker) => {
	let next: ToWorker | undefined = first;
	while (next !== undefined) {
		const lines: LinesMessage[] = [];
		while (next?.kind === "lines" && lines.length < messages_max) {
			lines.push(next);
			next = receiveMessageOnPort(port)?.message;
		}
		if (lines.length > 0) port.postMessage(keeper.keep(lines));
		if (next?.kind !== "ask") continue;
		port.postMessage(keeper.answer(next));
		next = receiveMessageOnPort(port)?.message;
	}
	modernizeLater();
});
