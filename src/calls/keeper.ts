import { closeSync, mkdirSync, openSync } from "node:fs";
import { join } from "node:path";
import type { WorkerAnswer } from "../lib/worker-link.ts";
import type { CallLine } from "../telemetry/call-line.ts";
import { History } from "./history.ts";
import { Lines } from "./lines.ts";
import type { CallsWorkerData, DoneMessage, LinesMessage, QuestionMessage } from "./messages.ts";
import { RotatingFile } from "./rotating-file.ts";

/** Name of the history in the folder of the call log. */
export const history_name = "history.db";

/** What a row does not keep to. */
const sqlite_constraint = 19;
/** Rows that one trim removes: it is short, so that new lines do not wait for it. */
const trim_rows_max = 5_000;

/** What a keeper works with. */
export interface KeeperParts {
	/** Wall-clock milliseconds. */
	readonly now: () => number;
	/** Milliseconds that never go back. */
	readonly monotonic: () => number;
	/** Called whenever something was made of a line. */
	readonly afterLine?: () => void;
}

/** Everything the worker of the call log does, without the thread. */
export class CallsKeeper {
	readonly #data: CallsWorkerData;
	readonly #parts: KeeperParts;
	readonly #file: RotatingFile | undefined;
	#history: History | undefined;

	constructor(data: CallsWorkerData, parts: KeeperParts) {
		this.#data = data;
		this.#parts = parts;
		const { folder, file } = data;
		this.#file =
			file === undefined
				? undefined
				: new RotatingFile({
						folder,
						file_bytes_max: file.bytes_max,
						files_max: file.files_max,
						now: parts.now,
					});
	}

	/** Keeps lines in both places; what fails in one does not keep them out of the other. */
	keep(messages: readonly LinesMessage[]): DoneMessage {
		const lines = new Lines(
			messages.map(({ packed }) => packed),
			this.#parts.afterLine,
		);
		const file_error = attempt(() => {
			if (this.#file === undefined) return;
			for (const piece of lines.pieces()) this.#file.write(piece);
		});
		const lost: string[] = [];
		const error = attempt(() => this.#remember(lines, lost));
		return {
			kind: "done",
			batch: messages.at(-1)?.batch ?? 0,
			file_error,
			history_error: error ?? lost[0],
			history_lost: error === undefined ? lost.length : 0,
		};
	}

	/** A line that the history does not take, whatever is wrong with it, costs no other. */
	#remember(lines: Iterable<CallLine>, lost: string[]): void {
		const history = this.#opened();
		try {
			history?.add(lines);
		} catch (error) {
			if (!isOfLine(error)) throw error;
			const all = [...lines];
			if (all.length === 1) {
				lost.push((error as Error).message);
				return;
			}
			const half = Math.ceil(all.length / 2);
			this.#remember(all.slice(0, half), lost);
			this.#remember(all.slice(half), lost);
		}
	}

	/** Does a little of what an older version has left to do; false where that was all, or fails. */
	modernize(): boolean {
		try {
			return this.#history?.modernize() ?? false;
		} catch {
			// Searches find what is there as it is; it is tried again later.
			return false;
		}
	}

	/** Answers a question. */
	answer(question: QuestionMessage): WorkerAnswer {
		const { id } = question;
		try {
			return { kind: "answer", id, value: this.#answer(question), error: undefined };
		} catch (error) {
			return { kind: "answer", id, value: undefined, error: (error as Error).message };
		}
	}

	#answer(question: QuestionMessage): unknown {
		switch (question.ask) {
			case "find":
				return this.#opened()?.find(question.query);
			case "get":
				return this.#opened()?.get(question.call);
			case "trim": {
				const { history } = this.#data;
				if (history === undefined) return 0;
				const oldest_ms = question.now_ms - history.keep_ms;
				const keep = { oldest_ms, calls_max: history.calls_max };
				return this.#opened()?.trim(keep, trim_rows_max);
			}
			case "close":
				this.#file?.close();
				this.#history?.close();
				this.#history = undefined;
				return true;
		}
	}

	#opened(): History | undefined {
		if (this.#data.history === undefined) return undefined;
		if (this.#history === undefined) {
			mkdirSync(this.#data.folder, { recursive: true, mode: 0o700 });
			const path = join(this.#data.folder, history_name);
			// What SQLite makes, everybody on the machine may read; the files beside it follow this one.
			closeSync(openSync(path, "a", 0o600));
			this.#history = new History(path, this.#parts.monotonic);
		}
		return this.#history;
	}
}

/** Whether an error is about what was to be written, not about where to. */
function isOfLine(error: unknown): boolean {
	const { code = "", errcode } = error as NodeJS.ErrnoException & { readonly errcode?: number };
	if (code === "ERR_SQLITE_ERROR") return ((errcode ?? 0) & 0xff) === sqlite_constraint;
	return error instanceof TypeError || error instanceof RangeError;
}

/** The code of the error that some work ends with. */
function attempt(work: () => void): string | undefined {
	try {
		work();
		return undefined;
	} catch (error) {
		const { code, message } = error as NodeJS.ErrnoException;
		return code === "ERR_SQLITE_ERROR" || code === undefined ? message : code;
	}
}
