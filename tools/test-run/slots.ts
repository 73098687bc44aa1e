/** Room for so many processes at a time; who is more urgent gets it first. */
export class Slots {
	#free: number;
	readonly #waiting: { readonly priority: number; readonly go: () => void }[] = [];

	constructor(count: number) {
		this.#free = count;
	}

	/** Waits for room. Lower numbers go first, and equal ones in the order in which they came. */
	take(priority: number): Promise<void> {
		if (this.#free > 0) {
			this.#free--;
			return Promise.resolve();
		}
		return new Promise((go) => {
			const after = this.#waiting.findIndex((other) => other.priority > priority);
			this.#waiting.splice(after === -1 ? this.#waiting.length : after, 0, { priority, go });
		});
	}

	/** Makes room for the next one. */
	give(): void {
		const next = this.#waiting.shift();
		if (next === undefined) this.#free++;
		else next.go();
	}
}
