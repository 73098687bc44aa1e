/**
 * Things that wait, each under a path of names such as a tenant, a person and a client. The first
 * names take turns; of one of them the second names take turns, and so on, however many things
 * wait under each. Of one whole path, first come is first served.
 */
export class Turns<Item> {
	/** In the order of whose turn is next. */
	readonly #groups = new Map<string, Turns<Item>>();
	readonly #items = new Set<Item>();
	#size = 0;

	get size(): number {
		return this.#size;
	}

	/** Things under the first name of a path. */
	sizeOf(name: string): number {
		return this.#groups.get(name)?.size ?? 0;
	}

	join([name, ...rest]: readonly string[], item: Item): void {
		this.#size += 1;
		if (name === undefined) {
			this.#items.add(item);
			return;
		}
		let group = this.#groups.get(name);
		if (group === undefined) {
			group = new Turns();
			this.#groups.set(name, group);
		}
		group.join(rest, item);
	}

	/** False where it does not wait under this path. */
	leave([name, ...rest]: readonly string[], item: Item): boolean {
		if (name === undefined) {
			if (!this.#items.delete(item)) return false;
		} else {
			const group = this.#groups.get(name);
			if (group?.leave(rest, item) !== true) return false;
			if (group.size === 0) this.#groups.delete(name);
		}
		this.#size -= 1;
		return true;
	}

	/** Whose turn it is; it goes on waiting. */
	next(): Item | undefined {
		for (const item of this.#items) return item;
		for (const group of this.#groups.values()) return group.next();
		return undefined;
	}

	/** One of this path has had its turn: each of its names goes behind the others of its kind. */
	turn([name, ...rest]: readonly string[]): void {
		const group = name === undefined ? undefined : this.#groups.get(name);
		if (name === undefined || group === undefined) return;
		this.#groups.delete(name);
		this.#groups.set(name, group);
		group.turn(rest);
	}

	/** Everything that waits, in no order that means anything. */
	*all(): Generator<Item> {
		yield* this.#items;
		for (const group of this.#groups.values()) yield* group.all();
	}

	/** The first name with the most things, and its latest, of that one in the same way. */
	latestOfMost(): { readonly name: string | undefined; readonly item: Item } | undefined {
		let most: [string, Turns<Item>] | undefined;
		for (const entry of this.#groups) {
			if (most === undefined || entry[1].size >= most[1].size) most = entry;
		}
		if (most === undefined) {
			const item = [...this.#items].at(-1);
			return item === undefined ? undefined : { name: undefined, item };
		}
		const inner = most[1].latestOfMost();
		return inner === undefined ? undefined : { name: most[0], item: inner.item };
	}
}
