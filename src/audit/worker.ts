import { parentPort, receiveMessageOnPort, workerData } from "node:worker_threads";
import { assert } from "../lib/assert.ts";
import { systemClock } from "../lib/clock.ts";
import { collectWhenIdle, thisProcess } from "../lib/idle-collection.ts";
import { Pauses } from "../lib/pauses.ts";
import { systemRandom } from "../lib/random.ts";
import { system_disk } from "./disk.ts";
import { AuditKeeper } from "./keeper.ts";
import type { AppendMessage, AuditThreadData, TimedDoneMessage, ToWorker } from "./messages.ts";

/**
 * The thread that writes the audit log. Whatever has arrived while the disk was busy is appended
 * as one: so many calls share one wait for the disk.
 */

/** How long entries wait for a signature, at the most. */
const attest_ms = 1_000;
/**
 * Pieces of work between two pauses, where nobody waits: each entry is read, and then written. Less
 * than half a millisecond of work, or else calls on few processors wait for this thread.
 */
const pieces_apart = 125;

assert(parentPort !== null, "this module runs as a worker");
const port = parentPort;
const clock = systemClock;
const data = workerData as AuditThreadData;
const keeper = new AuditKeeper(data, {
	disk: system_disk,
	random: systemRandom,
	now: () => clock.now(),
	afterPiece: new Pauses(data.hurry, pieces_apart).afterPiece,
});
let is_signing_later = false;

function attestLater(): void {
	if (is_signing_later) return;
	is_signing_later = true;
	clock.afterIdle(attest_ms, () => {
		is_signing_later = false;
		keeper.attest();
	});
}

function append(messages: readonly AppendMessage[]): void {
	const began_ms = clock.monotonic();
	const done = keeper.append(messages);
	const append_ms = clock.monotonic() - began_ms;
	port.postMessage({ ...done, append_ms } satisfies TimedDoneMessage);
}

const own = thisProcess(clock, () => false);
if (own !== undefined) collectWhenIdle(own);

port.on("message", (first: ToWorker) => {
	let next: ToWorker | undefined = first;
	while (next !== undefined) {
		const appends: AppendMessage[] = [];
		while (next?.kind === "append") {
			appends.push(next);
			next = receiveMessageOnPort(port)?.message;
		}
		if (appends.length > 0) append(appends);
		if (next?.kind !== "ask") break;
		port.postMessage(keeper.answer(next));
		next = receiveMessageOnPort(port)?.message;
	}
	attestLater();
});
