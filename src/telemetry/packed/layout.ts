/**
 * How calls stand in memory on their way to a thread: in front a row of numbers for each, behind
 * the rows all texts (UTF-8), one field after the other, each with a newline. What many calls have
 * in common travels once, beside the memory, and rows name it by its number.
 */

/** Where a number stands in its row. */
export const at = {
	start_ms: 0,
	duration_ms: 1,
	queue_ms: 2,
	wake_ms: 3,
	upstream_ms: 4,
	policy_ms: 5,
	approval_ms: 6,
	input_bytes: 7,
	output_bytes: 8,
	/** What kind of row it is, and which fields it has. */
	form: 9,
	/** The outcome, by its place in `statuses`. */
	status: 10,
	/** Numbers of parts: who called, what was called, what the policy said. */
	who: 11,
	what: 12,
	decided: 13,
	/** A number of the sender's, which says what is to be made of it. */
	purpose: 14,
	/** Where its first field begins, in bytes from the beginning of all texts. */
	text: 15,
	audit_ms: 16,
} as const;

/** Numbers in a row. */
export const row_numbers = 17;
/** Bytes of a row. */
export const row_bytes = row_numbers * Float64Array.BYTES_PER_ELEMENT;

/** The forms of rows. */
export const forms = {
	/** One field, which is whatever text was added. */
	text: 0,
	/** Three fields: the id, other ids one behind the other, and the client's own id as JSON. */
	call: 1,
	/** Two more: the id of the approval as JSON, and what went wrong as members of JSON. */
	full_call: 2,
} as const;

/** Lengths of the ids that stand in one field; the parent's span is what is left of it. */
export const ids = { trace: 32, span: 16, hash: 64 } as const;

/** All outcomes. */
export const statuses = ["ok", "client_error", "server_error", "timeout"] as const;

/** Calls as a message to a thread. */
export interface PackedCalls {
	readonly memory: SharedArrayBuffer;
	readonly rows: number;
	/** Where the texts are. */
	readonly text_start: number;
	readonly text_bytes: number;
	/** Members of JSON, without braces. */
	readonly parts: readonly string[];
}
