import type { AskOutcome, UpstreamAsk } from "../../upstreams/driver.ts";
import type { Message } from "../../wire/message.ts";
import { rawText, readString } from "../../wire/object.ts";
import type { CallSink, Reply } from "../call.ts";

/**
 * One running call of a modern client. The client sees it through requests that come and go:
 * when the server asks something, the request at hand ends with `input_required` and the call
 * stays parked until another request brings the answers (MRTR, SEP-2322).
 *
 *   request 1 --> running --ask--> parked --request 2--> running --reply--> over
 *                    |                |
 *                 cancelled        expired
 */

/** A request of the client that looks at the run now. */
export interface RunViewer {
	/** A notification on this request's stream. */
	notify(message: Message): void;
	/** See `UpstreamRequest.backlog`. */
	backlog?(): Promise<void> | undefined;
	/** The request ends: the server of this run needs answers. */
	inputRequired(questions: ReadonlyMap<string, UpstreamAsk>, run: ModernRun): void;
	/** The request ends with the call's reply. */
	finish(reply: Reply): void;
}

/** Questions a server may have open at once in one call. */
const questions_max = 32;

/** Ids of questions that may stand as their key; what is longer or odd is not a name. */
const question_name = /^[A-Za-z][\w.-]{0,63}$/;

/** Stands for no questions; none is ever put into it. */
const no_questions = new Map<string, UpstreamAsk>();

/** Waits a turn before parking, so that questions asked together are answered together. */
export type Defer = (fn: () => void) => void;

/** Where a run is. */
export type RunState = "running" | "parked" | "over";

/** The state of one running call, and the only way its client is answered. */
export class ModernRun implements CallSink {
	readonly #defer: Defer;
	readonly #mayPark: () => boolean;
	readonly #cancel: AbortController;
	/** One of its own from the first question on: nearly all calls have none. */
	#questions = no_questions;
	#viewer: RunViewer | undefined;
	#reply: Reply | undefined;
	#round = 0;
	#next_question = 1;
	#deferred = false;

	constructor(
		viewer: RunViewer,
		options: { cancel: AbortController; defer: Defer; mayPark(): boolean },
	) {
		this.#viewer = viewer;
		this.#cancel = options.cancel;
		this.#defer = options.defer;
		this.#mayPark = options.mayPark;
	}

	get state(): RunState {
		if (this.#reply !== undefined && this.#viewer === undefined) return "over";
		return this.#viewer === undefined ? "parked" : "running";
	}

	/** The round whose answers are waited for. */
	get round(): number {
		return this.#round;
	}

	notify(message: Message): void {
		this.#viewer?.notify(message);
	}

	/** Ends with the request that looks: a parked call has nobody to fall behind. */
	backlog(): Promise<void> | undefined {
		return this.#viewer?.backlog?.();
	}

	ask(ask: UpstreamAsk): void {
		if (this.#questions.size >= questions_max || this.#reply !== undefined || !this.#mayPark()) {
			ask.answer({ kind: "error", json: too_many });
			return;
		}
		const key = this.#keyOf(ask);
		if (this.#questions === no_questions) this.#questions = new Map();
		this.#questions.set(key, ask);
		ask.signal.addEventListener("abort", () => this.#questions.delete(key), { once: true });
		this.#parkSoon();
	}

	/** The call has ended; held for the next request when none looks. */
	settle(reply: Reply): void {
		this.#reply = reply;
		this.#refuseAll();
		const viewer = this.#viewer;
		if (viewer === undefined) return;
		this.#viewer = undefined;
		viewer.finish(reply);
	}

	/** A retry: its answers go to the server, and its request looks from now on. */
	resume(viewer: RunViewer, answers: ReadonlyMap<string, AskOutcome>): void {
		if (this.#reply !== undefined) {
			viewer.finish(this.#reply);
			return;
		}
		this.#viewer = viewer;
		for (const [key, outcome] of answers) {
			const ask = this.#questions.get(key);
			if (ask === undefined) continue;
			this.#questions.delete(key);
			ask.answer(outcome);
		}
		// What was not answered is asked again at once.
		if (this.#questions.size > 0) this.#parkSoon();
	}

	/** Nobody wants the call any more: the server is told to stop. */
	cancel(): void {
		this.#viewer = undefined;
		this.#cancel.abort();
		this.#refuseAll();
	}

	/** Nobody will answer what is still open: its server must not wait for ever. */
	#refuseAll(): void {
		if (this.#questions.size === 0) return;
		const open = [...this.#questions.values()];
		this.#questions.clear();
		for (const ask of open) ask.answer({ kind: "error", json: call_over });
	}

	/**
	 * What a question is called on its way to the client: the id that the server gave it, where
	 * that is a name, so that both sides speak of it in the same word; else a number of ours.
	 */
	#keyOf({ message: { bytes, id } }: UpstreamAsk): string {
		const name = readString(bytes, id);
		if (name !== undefined && question_name.test(name) && !this.#questions.has(name)) return name;
		let key: string;
		do {
			key = `q${this.#next_question}`;
			this.#next_question += 1;
		} while (this.#questions.has(key));
		return key;
	}

	#parkSoon(): void {
		if (this.#deferred) return;
		this.#deferred = true;
		this.#defer(() => {
			this.#deferred = false;
			const viewer = this.#viewer;
			if (viewer === undefined || this.#questions.size === 0) return;
			this.#viewer = undefined;
			this.#round += 1;
			viewer.inputRequired(this.#questions, this);
		});
	}
}

const call_over = '{"code":-32603,"message":"The call ended before its client answered"}';
const too_many = '{"code":-32603,"message":"Too many questions are open in this call"}';

/** The raw `inputRequests` object for a set of questions. */
export function inputRequestsJson(questions: ReadonlyMap<string, UpstreamAsk>): string {
	const parts = [...questions].map(([key, { message }]) => {
		const { bytes, params } = message;
		const method = JSON.stringify(message.method);
		const body = params === undefined ? "" : `,"params":${rawParams(bytes, message)}`;
		return `${JSON.stringify(key)}:{"method":${method}${body}}`;
	});
	return `{${parts.join(",")}}`;
}

/** Members of legacy question params that the modern revision does not have. */
const legacy_only = new Set(["elicitationId", "_meta", "task"]);

function rawParams(bytes: Buffer, message: Message): string {
	const members = message.params?.members ?? [];
	const kept = members
		.filter(({ key }) => !legacy_only.has(key))
		.map(({ key, value }) => `${JSON.stringify(key)}:${rawText(bytes, value)}`);
	return `{${kept.join(",")}}`;
}
