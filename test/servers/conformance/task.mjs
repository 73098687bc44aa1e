/** How long a task is kept after its start, and how often a client should look. */
const ttl_ms = 600_000;
const poll_interval_ms = 100;

/** One task of the Tasks extension: some work, its questions, and how it ended. */
export class Task {
	#questions = new Map();
	#next_question = 1;
	#stopped = new AbortController();
	#created = new Date().toISOString();
	#changed = this.#created;
	#status = "working";
	#outcome = {};

	/** Starts the work; `run` is given the task. */
	constructor(id, run) {
		this.id = id;
		this.ended = this.#work(run);
	}

	/** Resolves after a while, or rejects when the task is cancelled. */
	sleep(ms) {
		const { promise, resolve, reject } = Promise.withResolvers();
		const timer = setTimeout(resolve, ms);
		this.#stopped.signal.addEventListener("abort", () => {
			clearTimeout(timer);
			reject(new Error("cancelled"));
		});
		return promise;
	}

	/** Asks the client, which answers through `tasks/update`. */
	ask(question) {
		const { promise, resolve, reject } = Promise.withResolvers();
		const key = `question-${this.#next_question}`;
		this.#next_question += 1;
		this.#questions.set(key, { question, resolve });
		this.#stopped.signal.addEventListener("abort", () => reject(new Error("cancelled")));
		this.#move("input_required");
		return promise;
	}

	/** Takes answers by key; keys that ask nothing are ignored. */
	answer(answers) {
		for (const [key, answer] of Object.entries(answers)) {
			this.#questions.get(key)?.resolve(answer);
			this.#questions.delete(key);
		}
		if (this.#questions.size === 0 && this.#status === "input_required") this.#move("working");
	}

	cancel() {
		if (!this.#isOver()) this.#move("cancelled");
		this.#stopped.abort();
	}

	/** What every message about a task says. */
	summary() {
		return {
			taskId: this.id,
			status: this.#status,
			createdAt: this.#created,
			lastUpdatedAt: this.#changed,
			ttlMs: ttl_ms,
			pollIntervalMs: poll_interval_ms,
		};
	}

	/** What `tasks/get` answers. */
	details() {
		const requests = [...this.#questions].map(([key, { question }]) => [key, question]);
		return {
			...this.summary(),
			...(this.#status === "input_required" && {
				inputRequests: Object.fromEntries(requests),
			}),
			...(this.#isOver() && this.#status !== "cancelled" && this.#outcome),
		};
	}

	async #work(run) {
		try {
			this.#outcome = { result: await run(this) };
			if (!this.#isOver()) this.#move("completed");
		} catch (error) {
			this.#outcome = { error: { code: error.code ?? -32603, message: error.message } };
			if (!this.#isOver()) this.#move("failed");
		}
		return this.#outcome;
	}

	#isOver() {
		return ["completed", "failed", "cancelled"].includes(this.#status);
	}

	#move(status) {
		this.#status = status;
		this.#changed = new Date().toISOString();
	}
}
