const capacity_bytes_min = 1024;

/**
 * Collects what arrives in pieces. One piece alone is kept as it is, without a copy; more are
 * copied into memory that doubles, so that a large whole costs time in proportion to its size
 * however small its pieces are, and no object per piece.
 */
export class GrowingBuffer {
	/** Bytes collected. */
	length = 0;
	#memory: Buffer | undefined = undefined;

	/** Adds a piece. Its memory must not change until `take` or `clear`. */
	append(piece: Buffer): void {
		const length = this.length + piece.length;
		if (this.#memory === undefined) {
			this.#memory = piece;
		} else {
			// The first piece is somebody else's memory and exactly full, so this never writes there.
			if (length > this.#memory.length) {
				const capacity = Math.max(length, 2 * this.length, capacity_bytes_min);
				const larger = Buffer.allocUnsafeSlow(capacity);
				this.#memory.copy(larger, 0, 0, this.length);
				this.#memory = larger;
			}
			piece.copy(this.#memory, this.length);
		}
		this.length = length;
	}

	/** Gives away all that was collected and starts anew. */
	take(): Buffer {
		const taken = this.#memory?.subarray(0, this.length) ?? Buffer.alloc(0);
		this.clear();
		return taken;
	}

	/** Forgets all that was collected. */
	clear(): void {
		this.#memory = undefined;
		this.length = 0;
	}
}
