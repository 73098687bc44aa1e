/** What a tenant has of the room for requests; it is kept while that is nothing, not made anew. */
export interface Seat {
	/** Requests of this tenant that are being answered. */
	held: number;
}

/** Tenants that hold nothing are forgotten once there are as many of them, and of others. */
const seats_kept_max = 1_024;

/**
 * The room for requests that are being answered at one time, shared among tenants. A tenant gets a
 * place as long as it holds fewer than are free. So nobody is held back before half of the room is
 * taken; from then on whoever holds the most is refused first, and there is always a place for who
 * holds none: a hot tenant alone never has more than half, two hot ones never more than two thirds.
 * (Dynamic thresholds, Choudhury and Hahne, 1998: no memory of who was active is needed.)
 */
export class Admission {
	readonly #seats = new Map<string, Seat>();
	#sweep_at = seats_kept_max;
	#taken = 0;

	/** Requests being answered now. */
	get taken(): number {
		return this.#taken;
	}

	/** Requests of a tenant that are being answered now. */
	heldBy(tenant: string): number {
		return this.#seats.get(tenant)?.held ?? 0;
	}

	/** Tenants that are remembered. */
	get tenants(): number {
		return this.#seats.size;
	}

	/**
	 * A place for a request, to be given back with `leave`; else why there is none.
	 * @param is_shared false where all requests are of one tenant and always will be: then there is
	 *   nobody to keep a place for
	 */
	enter(tenant: string, places_max: number, is_shared: boolean): Seat | "full" | "over_share" {
		const free = places_max - this.#taken;
		if (free <= 0) return "full";
		const seat = this.#seats.get(tenant) ?? this.#add(tenant);
		if (is_shared && seat.held >= free) return "over_share";
		return this.#sit(seat);
	}

	/** A place for somebody who has been let in already, to be given back with `leave`. */
	take(tenant: string): Seat {
		return this.#sit(this.#seats.get(tenant) ?? this.#add(tenant));
	}

	leave(seat: Seat): void {
		seat.held -= 1;
		this.#taken -= 1;
	}

	#sit(seat: Seat): Seat {
		seat.held += 1;
		this.#taken += 1;
		return seat;
	}

	#add(tenant: string): Seat {
		if (this.#seats.size >= this.#sweep_at) this.#sweep();
		const seat = { held: 0 };
		this.#seats.set(tenant, seat);
		return seat;
	}

	/** Rare enough to cost nothing by the request, however many tenants hold something. */
	#sweep(): void {
		for (const [tenant, { held }] of this.#seats) {
			if (held === 0) this.#seats.delete(tenant);
		}
		this.#sweep_at = Math.max(seats_kept_max, this.#seats.size * 2);
	}
}
