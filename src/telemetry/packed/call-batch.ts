import type { SharedSlot, SharedSlots } from "../../lib/shared-slots.ts";
import { at, forms, type PackedCalls, row_bytes, row_numbers } from "./layout.ts";
import type { PackedCall } from "./pack-call.ts";

/** Calls that are gathered, in shared memory, to be sent to a thread as one message. */
export class CallBatch {
	/** How many rows there are. */
	rows = 0;
	readonly #slots: SharedSlots;
	readonly #rows_max: number;
	#slot: SharedSlot | undefined;
	#numbers: Float64Array = nothing;
	#text_end: number;
	readonly #parts = new Map<string, number>();

	/** Slots have room for the rows and for texts beside them. */
	constructor(slots: SharedSlots, rows_max: number) {
		this.#slots = slots;
		this.#rows_max = rows_max;
		this.#text_end = rows_max * row_bytes;
	}

	/** Whether a text of so many characters fits. Into an empty batch every text does. */
	fits(text: string): boolean {
		if (this.#slot === undefined) return true;
		if (this.rows >= this.#rows_max) return false;
		return this.#slot.bytes.length - this.#text_end >= text.length * bytes_per_unit_max + 1;
	}

	/** Adds a call that fits; `purpose` is told to the receiver. */
	add(call: PackedCall, purpose = 0): void {
		this.#begin(call.text, call.numbers);
		const row = this.rows * row_numbers;
		this.#numbers[row + at.purpose] = purpose;
		this.#numbers[row + at.who] = this.#numberOf(call.who);
		this.#numbers[row + at.what] = this.#numberOf(call.what);
		this.#numbers[row + at.decided] = this.#numberOf(call.decided);
		this.rows += 1;
	}

	/** Adds a text that fits and has no line break. */
	addText(text: string): void {
		const slot = this.#begin(text, text_row);
		slot.bytes[this.#text_end] = newline;
		this.#text_end += 1;
		this.rows += 1;
	}

	/** The message. The batch is not to be added to any more. */
	message(): PackedCalls {
		if (this.#slot === undefined) return no_calls;
		const text_start = this.#rows_max * row_bytes;
		return {
			memory: this.#slot.memory,
			rows: this.rows,
			text_start,
			text_bytes: this.#text_end - text_start,
			parts: [...this.#parts.keys()],
		};
	}

	/** Gives the memory back, once nobody reads it any more. */
	release(): void {
		if (this.#slot !== undefined) this.#slots.giveBack(this.#slot);
		this.#slot = undefined;
	}

	#begin(text: string, numbers: Float64Array): SharedSlot {
		const slot = this.#slot ?? this.#take(text);
		const row = this.rows * row_numbers;
		this.#numbers.set(numbers, row);
		this.#numbers[row + at.text] = this.#text_end - this.#rows_max * row_bytes;
		this.#text_end += slot.bytes.write(text, this.#text_end, "utf8");
		return slot;
	}

	#take(first_text: string): SharedSlot {
		const text_bytes = first_text.length * bytes_per_unit_max + 1;
		const slot = this.#slots.take(this.#rows_max * row_bytes + text_bytes);
		this.#slot = slot;
		this.#numbers = new Float64Array(slot.memory, 0, this.#rows_max * row_numbers);
		return slot;
	}

	#numberOf(part: string): number {
		const known = this.#parts.get(part);
		if (known !== undefined) return known;
		const number = this.#parts.size;
		this.#parts.set(part, number);
		return number;
	}
}

const no_calls: PackedCalls = {
	memory: new SharedArrayBuffer(0),
	...{ rows: 0, text_start: 0, text_bytes: 0, parts: [] },
};
const nothing = new Float64Array(0);
const newline = 0x0a;
/** UTF-8 has at most three bytes for a unit of a JavaScript text. */
const bytes_per_unit_max = 3;
const text_row = new Float64Array(row_numbers);
text_row[at.form] = forms.text;
