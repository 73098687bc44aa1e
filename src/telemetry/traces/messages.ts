import type { Resource } from "../otlp/encode.ts";
import type { ExportTarget } from "../otlp/exporter.ts";
import type { PackedCalls } from "../packed/layout.ts";

/** What the gateway and the thread that sends traces say to each other. */

/** Calls that wait for the collector at the most; of those ordinary ones are half. */
export const traces_waiting_max = 8_192;

/** What the thread is started with. */
export interface TraceWorkerData {
	readonly target: ExportTarget;
	readonly resource: Resource;
}

/** The same, and how the thread is told that somebody waits for it. */
export interface TraceThreadData extends TraceWorkerData {
	readonly hurry: SharedArrayBuffer;
}

/** Calls that are to become traces. */
export interface CallsMessage {
	readonly kind: "calls";
	readonly batch: number;
	/** The memory is theirs until the batch is told to be taken. */
	readonly packed: PackedCalls;
}

/** What the thread may be asked: to send what waits, for so long, and to end. */
export interface Question {
	readonly kind: "ask";
	readonly wait_ms: number;
}

/** A question that is answered with `WorkerAnswer`. */
export type QuestionMessage = Question & { readonly id: number };

/** What the thread is told. */
export type ToWorker = CallsMessage | QuestionMessage;

/** What the thread says beside its answers. */
export type FromWorker =
	/** Everything up to this batch was read. */
	| { readonly kind: "taken"; readonly batch: number }
	/** What has happened since the last time. */
	| {
			readonly kind: "news";
			/** Batches that were handed to the collector, taken or not. */
			readonly batches: number;
			/** Calls that wait no longer, because they are in such a batch. */
			readonly left: number;
			/** Calls whose traces it did not take, and why the last of them. */
			readonly lost: number;
			readonly why: string;
	  };
