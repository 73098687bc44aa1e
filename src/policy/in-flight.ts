/** How many things of one key are in flight. */
export interface Flight {
	readonly key: string;
	count: number;
}

/** How many things are in flight for each key; a key without any is not kept. */
export class InFlight {
	readonly #flights = new Map<string, Flight>();

	get size(): number {
		return this.#flights.size;
	}

	of(key: string): number {
		return this.#flights.get(key)?.count ?? 0;
	}

	/** One more for a key; what it gives is to be ended once. */
	begin(key: string): Flight {
		let flight = this.#flights.get(key);
		if (flight === undefined) {
			flight = { key, count: 0 };
			this.#flights.set(key, flight);
		}
		flight.count += 1;
		return flight;
	}

	end(flight: Flight): void {
		flight.count -= 1;
		if (flight.count === 0) this.#flights.delete(flight.key);
	}
}
