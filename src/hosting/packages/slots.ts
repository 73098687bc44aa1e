/** A number of places; who finds none waits in line. */
export class Slots {
	readonly #waiting: (() => void)[] = [];
	#free: number;

	constructor(count: number) {
		this.#free = count;
	}

	/** How many wait for a place. */
	get waiting(): number {
		return this.#waiting.length;
	}

	/** True when the next one would have to wait. */
	get full(): boolean {
		return this.#free === 0;
	}

	/** Runs work in a place of its own, when its turn comes. */
	async use<Value>(work: () => Promise<Value>): Promise<Value> {
		if (this.#free > 0) {
			this.#free -= 1;
		} else {
			await new Promise<void>((resolve) => this.#waiting.push(resolve));
		}
		try {
			return await work();
		} finally {
			// The place is handed to the next in line directly, so that nobody jumps it.
			const next = this.#waiting.shift();
			if (next === undefined) {
				this.#free += 1;
			} else {
				next();
			}
		}
	}
}
