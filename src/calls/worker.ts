import { parentPort, receiveMessageOnPort, workerData } from "node:worker_threads";
import { assert } from "../lib/assert.ts";
import { systemClock } from "../lib/clock.ts";
import { yieldToOthers } from "../lib/thread-priority.ts";
import { CallsKeeper } from "./keeper.ts";
import type { CallsWorkerData, LinesMessage, ToWorker } from "./messages.ts";

/** The thread that keeps the call log: what waited while it was busy is kept at once. */

/** Lines of so many messages are one transaction. */
const messages_max = 8;
/**
 * Nobody waits for a line: calls go first where there are few processors. By so little that the
 * lines of a busy machine are kept too.
 */
const nice = 3;
/** Between two pieces of work on what an older version has kept: lines come first. */
const modernize_apart_ms = 100;

assert(parentPort !== null, "this module runs as a worker");
const port = parentPort;
const keeper = new CallsKeeper(workerData as CallsWorkerData, {
	now: () => systemClock.now(),
	monotonic: () => systemClock.monotonic(),
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
