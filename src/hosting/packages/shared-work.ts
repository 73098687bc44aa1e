/** Somebody who waits for work that others may wait for as well. */
export interface Member {
	progress(line: string): void;
	readonly signal?: AbortSignal | undefined;
}

interface Running<Value> {
	readonly members: Set<Member>;
	readonly controller: AbortController;
	readonly outcome: Promise<Value>;
	last_line: string | undefined;
}

/** Work that is done once for all who ask for it while it is under way. */
export class SharedWork<Value> {
	readonly #running = new Map<string, Running<Value>>();

	/**
	 * Joins the work of that name, or begins it. Its progress goes to every member; it is
	 * aborted when the last of them has lost interest. All members get the same outcome.
	 */
	async join(
		name: string,
		member: Member,
		work: (signal: AbortSignal, progress: (line: string) => void) => Promise<Value>,
	): Promise<Value> {
		const running = this.#running.get(name) ?? this.#begin(name, work);
		running.members.add(member);
		if (running.last_line !== undefined) {
			member.progress(running.last_line);
		}
		const leave = () => {
			running.members.delete(member);
			if (running.members.size === 0) {
				running.controller.abort();
				// Whoever comes now wants it done, and must not find it given up.
				this.#forget(name, running);
			}
		};
		if (member.signal?.aborted) {
			leave();
		}
		member.signal?.addEventListener("abort", leave, { once: true });
		try {
			return await running.outcome;
		} finally {
			member.signal?.removeEventListener("abort", leave);
		}
	}

	#begin(
		name: string,
		work: (signal: AbortSignal, progress: (line: string) => void) => Promise<Value>,
	): Running<Value> {
		const members = new Set<Member>();
		const controller = new AbortController();
		const progress = (line: string) => {
			running.last_line = line;
			for (const member of members) {
				member.progress(line);
			}
		};
		// Begun a moment later, so that the first member does not miss the first line.
		const outcome = Promise.resolve().then(() => work(controller.signal, progress));
		const running: Running<Value> = { members, controller, outcome, last_line: undefined };
		this.#running.set(name, running);
		const forget = () => this.#forget(name, running);
		outcome.then(forget, forget);
		return running;
	}

	#forget(name: string, running: Running<Value>): void {
		if (this.#running.get(name) === running) {
			this.#running.delete(name);
		}
	}
}
