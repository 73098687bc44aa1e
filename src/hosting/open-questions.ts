import type { UpstreamAsk } from "../upstreams/driver.ts";

/** Counts the questions of one instance that wait for an answer. */
export class OpenQuestions {
	readonly #onClosed: () => void;
	#count = 0;

	/** `onClosed` is called each time a question is answered or withdrawn. */
	constructor(onClosed: () => void) {
		this.#onClosed = onClosed;
	}

	get count(): number {
		return this.#count;
	}

	/** The same question, counted until it is answered or withdrawn. */
	watch(ask: UpstreamAsk): UpstreamAsk {
		if (ask.signal.aborted) return ask;
		this.#count += 1;
		let open = true;
		const close = () => {
			if (!open) return;
			open = false;
			this.#count -= 1;
			this.#onClosed();
			ask.signal.removeEventListener("abort", close);
		};
		ask.signal.addEventListener("abort", close);
		return {
			message: ask.message,
			signal: ask.signal,
			answer(outcome) {
				close();
				ask.answer(outcome);
			},
		};
	}
}
