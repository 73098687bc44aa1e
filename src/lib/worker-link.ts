import type { Worker } from "node:worker_threads";
import type { Clock } from "./clock.ts";

/** How a thread answers a question. */
export interface WorkerAnswer {
	readonly kind: "answer";
	/** That of the question. */
	readonly id: number;
	readonly value: unknown;
	/** Why there is no value. */
	readonly error: string | undefined;
}

/** What a link is made with; `Message` is what the thread says beside its answers. */
export interface WorkerLinkOptions<Message extends { readonly kind: string }> {
	readonly clock: Clock;
	/** Starts the thread. Its script is named where it is, so that a bundler finds it. */
	start(): Worker;
	onMessage(message: Message): void;
	/** The thread has ended, by itself or by an error; what it had not answered is lost. */
	onFallen(error: Error | undefined): void;
}

/** How soon after its end a thread is started again. */
const restart_ms = 1_000;

/**
 * A thread of one's own: started when it is first needed, and again when it has fallen. It keeps
 * the process alive only while somebody waits for it.
 */
export class WorkerLink<Question extends object, Message extends { readonly kind: string }> {
	readonly #options: WorkerLinkOptions<Message>;
	#worker: Worker | undefined;
	#restart_at_ms = 0;
	readonly #questions = new Map<number, (answer: WorkerAnswer) => void>();
	#question = 0;
	/** Who waits for batches up to a number. */
	readonly #waiting: { readonly batch: number; readonly resolve: () => void }[] = [];

	constructor(options: WorkerLinkOptions<Message>) {
		this.#options = options;
	}

	/** Whether it runs now. */
	get runs(): boolean {
		return this.#worker !== undefined;
	}

	/** The thread, started if need be; undefined for a moment after it has fallen. */
	worker(): Worker | undefined {
		if (this.#worker !== undefined) return this.#worker;
		if (this.#options.clock.monotonic() < this.#restart_at_ms) return undefined;
		const worker = this.#options.start();
		worker.on("message", (message: Message | WorkerAnswer) => this.#hear(message));
		worker.on("error", (error) => this.#fallen(worker, error));
		worker.on("exit", () => this.#fallen(worker, undefined));
		worker.unref();
		this.#worker = worker;
		return worker;
	}

	/** Asks the thread something. Rejects with its error, or where it does not run. */
	ask(question: Question): Promise<unknown> {
		const worker = this.worker();
		if (worker === undefined) return Promise.reject(new Error("the thread does not run"));
		this.#question += 1;
		const id = this.#question;
		return new Promise((resolve, reject) => {
			this.#questions.set(id, ({ value, error }) => {
				if (error === undefined) resolve(value);
				else reject(new Error(error));
			});
			worker.postMessage({ ...question, id }, []);
		});
	}

	/** Resolves once `reached` has said that a batch is no longer on its way. */
	async until(batch: number): Promise<void> {
		this.#worker?.ref();
		await new Promise<void>((resolve) => this.#waiting.push({ batch, resolve }));
		this.#worker?.unref();
	}

	/** Says which batch is the oldest on its way; infinity where none is. */
	reached(oldest: number): void {
		while ((this.#waiting[0]?.batch ?? Number.POSITIVE_INFINITY) < oldest) {
			this.#waiting.shift()?.resolve();
		}
	}

	/**
	 * Asks a last question and ends the thread, unless somebody needs it by then: who needs it later
	 * starts another. `is_idle` says whether nothing is on its way to it.
	 */
	async rest(last: Question, is_idle: () => boolean): Promise<void> {
		const worker = this.#worker;
		if (worker === undefined) return;
		await this.ask(last).catch(() => undefined);
		if (this.#worker !== worker || this.#questions.size > 0 || !is_idle()) return;
		this.#worker = undefined;
		await worker.terminate();
	}

	/** Asks a last question, whatever comes of it, and ends the thread. */
	async end(last: Question): Promise<void> {
		const worker = this.#worker;
		if (worker === undefined) return;
		worker.ref();
		await this.ask(last).catch(() => undefined);
		this.#worker = undefined;
		await worker.terminate();
	}

	#hear(message: Message | WorkerAnswer): void {
		if (!isAnswer(message)) {
			this.#options.onMessage(message);
			return;
		}
		this.#questions.get(message.id)?.(message);
		this.#questions.delete(message.id);
	}

	#fallen(worker: Worker, error: Error | undefined): void {
		if (this.#worker !== worker) return;
		this.#worker = undefined;
		this.#restart_at_ms = this.#options.clock.monotonic() + restart_ms;
		this.#options.onFallen(error);
		const why = error?.message ?? "the thread ended";
		for (const [id, answer] of this.#questions) {
			answer({ kind: "answer", id, value: undefined, error: why });
		}
		this.#questions.clear();
	}
}

function isAnswer(message: { readonly kind: string }): message is WorkerAnswer {
	return message.kind === "answer";
}
