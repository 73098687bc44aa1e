/** Something known by a number, of which each has a higher one than those before it. */
interface Numbered {
	readonly id: number;
}

/** Places at first, and at most; both powers of two. */
const places_min = 16;
const places_max = 1024;

/**
 * Things in flight by their numbers. Those of the last few numbers stand in an array, at the place
 * that the low bits of their number say; the few that stay longer than everybody around them, such
 * as subscriptions, move to a map when a newer one needs their place. See `Bag` for what a map of
 * all of them would cost.
 */
export class RecentCalls<Item extends Numbered> {
	#places: (Item | undefined)[] = new Array<Item | undefined>(places_min).fill(undefined);
	readonly #long = new Map<number, Item>();
	#size = 0;

	get size(): number {
		return this.#size;
	}

	/** @param item its number is higher than that of any before it */
	add(item: Item): void {
		let place = item.id & (this.#places.length - 1);
		if (this.#places[place] !== undefined && this.#isCrowded()) {
			this.#grow();
			place = item.id & (this.#places.length - 1);
		}
		const older = this.#places[place];
		if (older !== undefined) this.#long.set(older.id, older);
		this.#places[place] = item;
		this.#size += 1;
	}

	get(id: number): Item | undefined {
		const item = this.#places[id & (this.#places.length - 1)];
		if (item?.id === id) return item;
		return this.#long.size === 0 ? undefined : this.#long.get(id);
	}

	/** Does nothing where it is not among them. */
	delete(item: Item): void {
		const place = item.id & (this.#places.length - 1);
		if (this.#places[place] === item) this.#places[place] = undefined;
		else if (!this.#long.delete(item.id)) return;
		this.#size -= 1;
	}

	/** All of them, those that stay for long first. What changes meanwhile does not change it. */
	all(): Item[] {
		const recent = this.#places.filter((item) => item !== undefined);
		return [...this.#long.values(), ...recent];
	}

	/** Many at once need more room; a few that stay for long do not. */
	#isCrowded(): boolean {
		const { length } = this.#places;
		return length < places_max && this.#size - this.#long.size > length / 2;
	}

	#grow(): void {
		const former = this.#places;
		const length = former.length * 2;
		this.#places = new Array<Item | undefined>(length).fill(undefined);
		for (const item of former) {
			if (item !== undefined) this.#places[item.id & (length - 1)] = item;
		}
	}
}
