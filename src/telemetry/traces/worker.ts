import { parentPort, workerData } from "node:worker_threads";
import { assert } from "../../lib/assert.ts";
import { systemClock } from "../../lib/clock.ts";
import { Pauses } from "../../lib/pauses.ts";
import { yieldToOthers } from "../../lib/thread-priority.ts";
import { atEndOfTurn } from "../../lib/turn.ts";
import type { WorkerAnswer } from "../../lib/worker-link.ts";
import type { TimedLine } from "../call-line.ts";
import { encodeSpans } from "../otlp/encode.ts";
import { OtlpExporter } from "../otlp/exporter.ts";
import { copyCalls, type UnpackedCall } from "../packed/unpack-calls.ts";
import { spansOf } from "./call-spans.ts";
import {
	type FromWorker,
	type QuestionMessage,
	type ToWorker,
	type TraceThreadData,
	traces_waiting_max,
} from "./messages.ts";

/** The thread that makes traces of calls and sends them to the collector. */

assert(parentPort !== null, "this module runs as a worker");
const port = parentPort;
const { target, resource, hurry } = workerData as TraceThreadData;

const no_news = { batches: 0, left: 0, lost: 0, why: "" };
let news = no_news;
let tells_news = false;

/** A request of about a megabyte: so that a collector far away keeps up with a busy gateway. */
const batch_max = 1_024;
/** Calls between two pauses: a millisecond of work. */
const calls_apart = 128;

const pauses = new Pauses(hurry, calls_apart);
/** Nobody waits for a trace: calls, and their lines, go first where there are few processors. */
yieldToOthers(10);

const exporter = new OtlpExporter<UnpackedCall>({
	clock: systemClock,
	target,
	batch_max,
	queue_max: traces_waiting_max,
	encode(calls) {
		news = { ...news, batches: news.batches + 1, left: news.left + calls.length };
		tellLater();
		return encodeSpans(spansOf(linesOf(calls)), resource);
	},
	// It is never full: no more calls are sent than it holds.
	onLost(items, why) {
		news = { ...news, lost: news.lost + items, why };
		tellLater();
	},
});

port.on("message", (message: ToWorker) => {
	if (message.kind === "ask") {
		void close(message);
		return;
	}
	const { packed, batch } = message;
	for (const row of copyCalls(packed)) if (typeof row !== "string") exporter.add(row);
	port.postMessage({ kind: "taken", batch } satisfies FromWorker);
});

/** Made one by one: until they are sent, calls wait packed. */
function* linesOf(calls: readonly UnpackedCall[]): Generator<TimedLine> {
	for (const call of calls) {
		yield call.line();
		pauses.afterPiece();
	}
}

async function close({ id, wait_ms }: QuestionMessage): Promise<void> {
	await exporter.close(wait_ms);
	tellNews();
	const answer: WorkerAnswer = { kind: "answer", id, value: true, error: undefined };
	port.postMessage(answer);
}

/** Once for all that happens in one turn: a full queue loses its calls one by one. */
function tellLater(): void {
	if (tells_news) return;
	tells_news = true;
	atEndOfTurn(tellNews);
}

function tellNews(): void {
	tells_news = false;
	if (news === no_news) return;
	port.postMessage({ kind: "news", ...news } satisfies FromWorker);
	news = no_news;
}
