/** One byte string of a set, which may have been added several times. */
export interface SortedForm {
	readonly bytes: Buffer;
	/** How many times more it was added than removed. */
	uses: number;
	/** For whoever keeps the set. */
	index: number;
}

/** Most entries of one block of the set. */
const block_max = 512;

/**
 * A set of byte strings in the order of their bytes. It is kept in blocks, so that one more or less
 * moves a few hundred entries however many there are.
 */
export class SortedForms {
	/** None of them is empty. */
	readonly #blocks: SortedForm[][] = [];
	#size = 0;

	/** How many different byte strings there are. */
	get size(): number {
		return this.#size;
	}

	/** The entry of these bytes: a new one with one use, or that of before with one use more. */
	add(bytes: Buffer): SortedForm {
		const at = Math.max(0, this.#blockOf(bytes, 0));
		const block = this.#blocks[at];
		const form = { bytes, uses: 1, index: -1 };
		if (block === undefined) {
			this.#blocks.push([form]);
			this.#size = 1;
			return form;
		}
		const behind = upperBound(block, bytes, 0);
		const before = block[behind - 1];
		if (before?.bytes.equals(bytes)) {
			before.uses += 1;
			return before;
		}
		block.splice(behind, 0, form);
		this.#size += 1;
		if (block.length > block_max) {
			this.#blocks.splice(at + 1, 0, block.splice(block_max / 2));
		}
		return form;
	}

	/** Takes one use of an entry away; true where it was the last, and the entry is gone. */
	remove(form: SortedForm): boolean {
		form.uses -= 1;
		if (form.uses > 0) return false;
		const at = this.#blockOf(form.bytes, 0);
		const block = this.#blocks[at];
		const place = block === undefined ? -1 : upperBound(block, form.bytes, 0) - 1;
		if (block?.[place] !== form) return false;
		block.splice(place, 1);
		this.#size -= 1;
		if (block.length === 0) this.#blocks.splice(at, 1);
		return true;
	}

	/** Whether one of them begins with all that stands in `bytes` from `start` on, and goes on. */
	begins(bytes: Buffer, start: number): boolean {
		const at = this.#blockOf(bytes, start);
		const block = this.#blocks[at];
		const place = block === undefined ? 0 : upperBound(block, bytes, start);
		const next = block?.[place] ?? this.#blocks[at + 1]?.[0];
		const length = bytes.length - start;
		if (next === undefined || next.bytes.length <= length) return false;
		return next.bytes.compare(bytes, start, bytes.length, 0, length) === 0;
	}

	/** The last block whose first entry is not behind these bytes; -1 where all are. */
	#blockOf(bytes: Buffer, start: number): number {
		let [low, high] = [0, this.#blocks.length];
		while (low < high) {
			const middle = (low + high) >> 1;
			const first = (this.#blocks[middle] as SortedForm[])[0] as SortedForm;
			if (first.bytes.compare(bytes, start) <= 0) low = middle + 1;
			else high = middle;
		}
		return low - 1;
	}
}

/** How many entries of a block are not behind what stands in `bytes` from `start` on. */
function upperBound(block: readonly SortedForm[], bytes: Buffer, start: number): number {
	let [low, high] = [0, block.length];
	while (low < high) {
		const middle = (low + high) >> 1;
		if ((block[middle] as SortedForm).bytes.compare(bytes, start) <= 0) low = middle + 1;
		else high = middle;
	}
	return low;
}
