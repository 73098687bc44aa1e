import type { Random } from "../../src/lib/random.ts";

/** Randomness that is the same for the same seed (mulberry32), so that a failure replays. */
export class SeededRandom implements Random {
	#state: number;

	constructor(seed: number) {
		this.#state = seed >>> 0;
	}

	fraction(): number {
		this.#state = (this.#state + 0x6d2b79f5) >>> 0;
		let mixed = this.#state;
		mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1);
		mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
		return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
	}

	bytes(count: number): Buffer {
		return Buffer.from(Array.from({ length: count }, () => this.below(256)));
	}

	uuid(): string {
		const hex = this.bytes(16).toString("hex");
		return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-7${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20)}`;
	}

	/** A whole number from 0 to `limit - 1`. */
	below(limit: number): number {
		return Math.floor(this.fraction() * limit);
	}

	/** True with the given probability. */
	chance(probability: number): boolean {
		return this.fraction() < probability;
	}

	/** One of the given things. */
	pick<Item>(items: readonly Item[]): Item {
		const item = items[this.below(items.length)];
		if (item === undefined) throw new RangeError("nothing to pick from");
		return item;
	}
}
