import type { PackedCalls } from "../telemetry/packed/layout.ts";
import type { CallQuery } from "./query.ts";

/** What the gateway and the worker that keeps the call log say to each other. */

/** What the worker is started with. */
export interface CallsWorkerData {
	/** Absolute folder of the log's files and the history. */
	readonly folder: string;
	/** Undefined where no files are written. */
	readonly file: { readonly bytes_max: number; readonly files_max: number } | undefined;
	/** Undefined where no history is kept. */
	readonly history: { readonly keep_ms: number; readonly calls_max: number } | undefined;
}

/** The same, and how the thread is told that somebody waits for it. */
export interface CallsThreadData extends CallsWorkerData {
	readonly hurry: SharedArrayBuffer;
}

/** Lines to keep: calls, and lines as texts. */
export interface LinesMessage {
	readonly kind: "lines";
	readonly batch: number;
	/** The memory is theirs until the batch is told to be done. */
	readonly packed: PackedCalls;
}

/** What the worker may be asked. */
export type Question = { readonly kind: "ask" } & (
	| { readonly ask: "find"; readonly query: CallQuery }
	| { readonly ask: "get"; readonly call: string }
	| { readonly ask: "trim"; readonly now_ms: number }
	| { readonly ask: "close" }
);

/** A question that is answered with `WorkerAnswer`. */
export type QuestionMessage = Question & { readonly id: number };

/** What the worker is told. */
export type ToWorker = LinesMessage | QuestionMessage;

/** Everything up to this batch was tried. */
export interface DoneMessage {
	readonly kind: "done";
	readonly batch: number;
	/** Codes of errors of the disk: `undefined` where all is well. */
	readonly file_error: string | undefined;
	readonly history_error: string | undefined;
	/** So many lines alone the history did not take; 0 where an error is about all of them. */
	readonly history_lost: number;
}
