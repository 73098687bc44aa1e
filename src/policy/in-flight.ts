/** How many things are in flight for each key; a key without any is not kept. */
export class InFlight {
	readonly #counts = new Map<string, number>();

	get size(): number {
		return this.#counts.size;
	}

	of(key: string): number {
		return this.#counts.get(key) ?? 0;
	}

	begin(key: string): void {
		this.#counts.set(key, this.of(key) + 1);
	}

	end(key: string): void {
		const count = this.of(key) - 1;
		if (count > 0) this.#counts.set(key, count);
		else this.#counts.delete(key);
	}
}
