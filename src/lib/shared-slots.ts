/** Memory that a thread can read too: giving it away copies nothing. */
export interface SharedSlot {
	readonly memory: SharedArrayBuffer;
	/** All of it, to write to. */
	readonly bytes: Buffer;
}

/**
 * A few pieces of shared memory that are used again and again. What goes to a thread as a text or
 * as bytes is copied twice and lands in memory that the system has to find first; a message that
 * names a piece of these costs next to nothing.
 */
export class SharedSlots {
	readonly #bytes_each: number;
	readonly #kept_max: number;
	readonly #free: SharedSlot[] = [];

	constructor(bytes_each: number, kept_max: number) {
		this.#bytes_each = bytes_each;
		this.#kept_max = kept_max;
	}

	/** A piece of at least so many bytes; a larger one than usual is not kept afterwards. */
	take(bytes_min = 0): SharedSlot {
		if (bytes_min <= this.#bytes_each) {
			const free = this.#free.pop();
			if (free !== undefined) return free;
		}
		const memory = new SharedArrayBuffer(Math.max(this.#bytes_each, bytes_min));
		return { memory, bytes: Buffer.from(memory) };
	}

	/** Gives a piece back that nobody reads any more. */
	giveBack(slot: SharedSlot): void {
		if (slot.bytes.length !== this.#bytes_each || this.#free.length >= this.#kept_max) return;
		this.#free.push(slot);
	}
}
