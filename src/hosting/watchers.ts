import type { Clock } from "../lib/clock.ts";

interface Watcher {
	readonly holds: () => boolean;
	readonly done: () => void;
}

/** Callers that wait until something holds, looked at whenever `check` is called. */
export class Watchers {
	readonly #clock: Clock;
	readonly #watchers = new Set<Watcher>();

	constructor(clock: Clock) {
		this.#clock = clock;
	}

	/** Resolves as soon as `holds` does, or when the wait is over or the signal aborts. */
	until(
		holds: () => boolean,
		options: { readonly signal?: AbortSignal | undefined; readonly wait_ms?: number },
	): Promise<void> {
		const { signal, wait_ms } = options;
		if (holds() || signal?.aborted === true) return Promise.resolve();
		const { promise, resolve } = Promise.withResolvers<void>();
		const done = () => {
			this.#watchers.delete(watcher);
			timer?.cancel();
			signal?.removeEventListener("abort", done);
			resolve();
		};
		const watcher: Watcher = { holds, done };
		const timer = wait_ms === undefined ? undefined : this.#clock.after(wait_ms, done);
		this.#watchers.add(watcher);
		signal?.addEventListener("abort", done, { once: true });
		return promise;
	}

	/** Something has changed. */
	check(): void {
		for (const watcher of [...this.#watchers]) {
			if (watcher.holds()) watcher.done();
		}
	}
}
