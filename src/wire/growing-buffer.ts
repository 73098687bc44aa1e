const capacity_bytes_min = 1024;
/** What is longer than this is expected to be followed by something as long. */
const long_bytes_min = 256 * 1024;
/** What is kept ready for it at most. */
const expected_bytes_max = 16 * 1024 * 1024;

/** Less than this is not worth it. */
const given_back_bytes_min = 16 * 1024;

/** Frees the memory of bytes that nobody needs any more, where it is all theirs. */
function giveBack({ buffer, length }: Buffer): void {
	if (length < given_back_bytes_min || length !== buffer.byteLength) return;
	if (buffer instanceof ArrayBuffer) buffer.transfer(0);
}

/**
 * Collects what arrives in pieces. One piece alone is kept as it is, without a copy; more are
 * copied into memory that doubles, so that a large whole costs time in proportion to its size
 * however small its pieces are, and no object per piece. What follows something long gets memory
 * for as much at once: memory that is given up again and again is what collecting garbage costs.
 */
export class GrowingBuffer {
	/** Bytes collected. */
	length = 0;
	#memory: Buffer | undefined = undefined;
	/** Whether the memory is of no use to anybody once it has been copied. */
	#is_ours = false;
	#expected = 0;

	/**
	 * Adds a piece. Its memory must not change until `take` or `clear`.
	 * @param is_ours true where nobody else looks at the piece's memory: once it is copied, the piece
	 *   is empty. Waiting for the garbage collector costs more than all that is done with the bytes
	 */
	append(piece: Buffer, is_ours = false): void {
		const length = this.length + piece.length;
		if (this.#memory === undefined) {
			this.#memory = piece;
			this.#is_ours = is_ours;
		} else {
			// The first piece is somebody else's memory and exactly full, so this never writes there.
			if (length > this.#memory.length) {
				const expected = length > long_bytes_min ? this.#expected : 0;
				const capacity = Math.max(length, 2 * this.length, capacity_bytes_min, expected);
				const larger = Buffer.allocUnsafeSlow(capacity);
				this.#memory.copy(larger, 0, 0, this.length);
				if (this.#is_ours) giveBack(this.#memory);
				this.#memory = larger;
				this.#is_ours = true;
			}
			piece.copy(this.#memory, this.length);
			if (is_ours) giveBack(piece);
		}
		this.length = length;
	}

	/** Gives away all that was collected and starts anew. */
	take(): Buffer {
		if (this.length > long_bytes_min) {
			this.#expected = Math.min(expected_bytes_max, this.length);
		} else this.#expected = 0;
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
