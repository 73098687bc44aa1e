/**
 * A thread that has much to do at once and that nobody waits for pauses in between. Where there are
 * few processors it would otherwise take one for several milliseconds from a thread that somebody
 * does wait for; so it takes a part of one.
 */

/** How long a pause is, unless somebody comes to wait. */
const pause_ms = 1;

/** What both sides look at: whether somebody waits for the thread. */
export class Hurry {
	/** For the thread's `Pauses`. */
	readonly memory = new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT);
	readonly #waits = new Int32Array(this.memory);
	#is_needed = false;
	#waiting = 0;

	/** Says whether there is a reason to hurry, beside those who wait. A pause that is, ends. */
	set(is_needed: boolean): void {
		this.#is_needed = is_needed;
		this.#tell();
	}

	/** Waits for something that the thread does. */
	async during<Value>(answer: Promise<Value>): Promise<Value> {
		this.#waiting += 1;
		this.#tell();
		try {
			return await answer;
		} finally {
			this.#waiting -= 1;
			this.#tell();
		}
	}

	#tell(): void {
		const value = this.#is_needed || this.#waiting > 0 ? 1 : 0;
		const was = Atomics.exchange(this.#waits, 0, value);
		if (was === 0 && value === 1) Atomics.notify(this.#waits, 0);
	}
}

/** The thread's side. */
export class Pauses {
	readonly #waits: Int32Array;
	readonly #pieces_apart: number;
	#pieces = 0;

	/** With the memory of the other side's `Hurry`; between two pauses are so many pieces of work. */
	constructor(memory: SharedArrayBuffer, pieces_apart: number) {
		this.#waits = new Int32Array(memory);
		this.#pieces_apart = pieces_apart;
	}

	/** Says that a piece of work is done: after enough of them this takes as long as a pause. */
	readonly afterPiece = (): void => {
		this.#pieces += 1;
		if (this.#pieces < this.#pieces_apart) return;
		this.#pieces = 0;
		Atomics.wait(this.#waits, 0, 0, pause_ms);
	};
}
