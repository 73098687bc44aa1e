import type { TimedLine } from "../call-line.ts";
import type { DecidedMembers, WhatMembers, WhoMembers } from "../line-parts.ts";
import { isoTime, micros, microsText } from "../line-text.ts";
import { at, forms, ids, type PackedCalls, row_numbers, statuses } from "./layout.ts";

/** A row of a message: a call, or the text that was added. */
export type UnpackedRow = UnpackedCall | string;

/**
 * What a message holds, row by row: what was made of one is garbage before the next, and so never
 * grows old. The rows read the memory of the message, and are to be used before it is given back.
 */
export function* unpackCalls(packed: PackedCalls): Generator<UnpackedRow> {
	const { memory, rows, text_start, text_bytes, parts } = packed;
	const numbers = new Float64Array(memory, 0, rows * row_numbers);
	const texts = Buffer.from(memory, text_start, text_bytes);
	yield* rowsOf({ numbers, parts, texts, read_row: -1, read: [] }, rows);
}

/** The same of a copy, for who needs a row for longer. */
export function* copyCalls(packed: PackedCalls): Generator<UnpackedRow> {
	const { memory, rows, text_start, text_bytes, parts } = packed;
	const numbers = new Float64Array(memory, 0, rows * row_numbers).slice();
	const texts = Buffer.from(Buffer.from(memory, text_start, text_bytes));
	yield* rowsOf({ numbers, parts, texts, read_row: -1, read: [] }, rows);
}

function* rowsOf(all: Unpacked, rows: number): Generator<UnpackedRow> {
	for (let row = 0; row < rows; row += 1) {
		const is_text = all.numbers[row * row_numbers + at.form] === forms.text;
		yield is_text ? textOf(all, row) : new UnpackedCall(all, row);
	}
}

/** The fields of a row, without the newline behind the last. */
function textOf({ numbers, texts }: Unpacked, row: number): string {
	const start = numbers[row * row_numbers + at.text] as number;
	const end = numbers[(row + 1) * row_numbers + at.text] ?? texts.length;
	return texts.toString("utf8", start, end - 1);
}

/** A message, taken apart. */
interface Unpacked {
	readonly numbers: Float64Array;
	readonly parts: readonly string[];
	readonly texts: Buffer;
	/** The row that was read last, and its fields: rows are read one after the other. */
	read_row: number;
	read: readonly string[];
}

/** A call as it came over: whoever needs its line, as a text or as members, makes it here. */
export class UnpackedCall {
	readonly #all: Unpacked;
	readonly #row: number;

	constructor(all: Unpacked, row: number) {
		this.#all = all;
		this.#row = row;
	}

	get id(): string {
		return this.#text(0);
	}

	/** Wall-clock time of its arrival, in milliseconds with fractions. */
	get start_ms(): number {
		return this.#number(at.start_ms);
	}

	/** As the sender gave it. */
	get purpose(): number {
		return this.#number(at.purpose);
	}

	/** The members of its line as JSON, without braces. */
	members(): string {
		const micros_of = (place: number) => microsText(this.#number(place));
		const parent = this.#ids(ids.trace + ids.span + ids.hash);
		return (
			`"ts":"${isoTime(this.start_ms + this.#number(at.duration_ms))}","service":"moorage",` +
			`"id":"${this.id}",${this.#part(at.who)},${this.#part(at.what)},${this.#outcome()},` +
			`"duration_ms":${micros_of(at.duration_ms)},"queue_ms":${micros_of(at.queue_ms)},` +
			`"wake_ms":${micros_of(at.wake_ms)},"approval_ms":${micros_of(at.approval_ms)},` +
			`"upstream_ms":${micros_of(at.upstream_ms)},"policy_ms":${micros_of(at.policy_ms)},` +
			`${this.#part(at.decided)},"approval_id":${this.#approval()},` +
			`"input_bytes":${this.#number(at.input_bytes)},` +
			`"output_bytes":${this.#number(at.output_bytes)},` +
			`"input_hash":"${this.#ids(ids.trace + ids.span, ids.hash)}",` +
			`"request_id":${this.#text(2)},` +
			`"trace_id":"${this.#ids(0, ids.trace)}","span_id":"${this.#ids(ids.trace, ids.span)}",` +
			`"parent_span_id":${orNull(parent)}`
		);
	}

	/** What is known of it before it is done: members of its line as JSON, without braces. */
	asked(): string {
		return (
			`"request_id":${this.#text(2)},"trace_id":"${this.#ids(0, ids.trace)}",` +
			`${this.#part(at.who)},${this.#part(at.what)},${this.#part(at.decided)},` +
			`"approval_id":${this.#approval()},"input_bytes":${this.#number(at.input_bytes)},` +
			`"input_hash":"${this.#ids(ids.trace + ids.span, ids.hash)}"`
		);
	}

	/** What became of it, likewise. */
	answered(): string {
		const wrong = this.#wrong();
		return (
			`"status":"${this.#status()}",${wrong === "" ? "" : `${wrong},`}` +
			`"duration_ms":${microsText(this.#number(at.duration_ms))},` +
			`"output_bytes":${this.#number(at.output_bytes)}`
		);
	}

	/** Its line, and when it began. */
	line(): TimedLine {
		const { who, what, decided } = this.#parts();
		const wrong = this.#wrong();
		const { error, error_id, code } = wrong === "" ? nothing_wrong : (parseMembers(wrong) as Wrong);
		return {
			start_ms: this.start_ms,
			ts: isoTime(this.start_ms + this.#number(at.duration_ms)),
			service: "moorage",
			id: this.id,
			tenant_id: who.tenant_id,
			user: who.user,
			made_by: who.made_by,
			client_id: who.client_id,
			client_name: who.client_name,
			client_version: who.client_version,
			session_id: who.session_id,
			client_revision: who.client_revision,
			client_era: who.client_era,
			endpoint: who.endpoint,
			server: what.server,
			version: what.version,
			instance: what.instance,
			method: what.method,
			tool: what.tool,
			name: what.name,
			risk: what.risk,
			upstream_revision: what.upstream_revision,
			upstream_era: what.upstream_era,
			status: this.#status(),
			code,
			error,
			error_id,
			requests: 1,
			duration_ms: micros(this.#number(at.duration_ms)),
			queue_ms: micros(this.#number(at.queue_ms)),
			wake_ms: micros(this.#number(at.wake_ms)),
			approval_ms: micros(this.#number(at.approval_ms)),
			upstream_ms: micros(this.#number(at.upstream_ms)),
			policy_ms: micros(this.#number(at.policy_ms)),
			decision: decided.decision,
			rule: decided.rule,
			approval_id: unquoted(this.#approval()),
			input_bytes: this.#number(at.input_bytes),
			output_bytes: this.#number(at.output_bytes),
			input_hash: this.#ids(ids.trace + ids.span, ids.hash),
			request_id: unquoted(this.#text(2)) ?? "null",
			trace_id: this.#ids(0, ids.trace),
			span_id: this.#ids(ids.trace, ids.span),
			parent_span_id: this.#ids(ids.trace + ids.span + ids.hash) || null,
		};
	}

	#number(place: number): number {
		return this.#all.numbers[this.#row * row_numbers + place] as number;
	}

	#text(field: number): string {
		const all = this.#all;
		if (all.read_row !== this.#row) {
			all.read = textOf(all, this.#row).split("\n");
			all.read_row = this.#row;
		}
		return all.read[field] as string;
	}

	/** Some of the ids that stand in one field, up to its end where no length is given. */
	#ids(from: number, length?: number): string {
		return this.#text(1).slice(from, length === undefined ? undefined : from + length);
	}

	#part(place: number): string {
		return this.#all.parts[this.#number(place)] as string;
	}

	#parts(): { who: WhoMembers; what: WhatMembers; decided: DecidedMembers } {
		return {
			who: membersOf(this.#part(at.who)) as WhoMembers,
			what: membersOf(this.#part(at.what)) as WhatMembers,
			decided: membersOf(this.#part(at.decided)) as DecidedMembers,
		};
	}

	#status(): (typeof statuses)[number] {
		return statuses[this.#number(at.status)] ?? "ok";
	}

	#isFull(): boolean {
		return this.#number(at.form) === forms.full_call;
	}

	#approval(): string {
		return this.#isFull() ? this.#text(3) : "null";
	}

	#wrong(): string {
		return this.#isFull() ? this.#text(4) : "";
	}

	#outcome(): string {
		const wrong = this.#wrong();
		if (wrong === "") return plain_outcome;
		return `"status":"${this.#status()}",${wrong},"requests":1`;
	}
}

interface Wrong {
	readonly code: string | null;
	readonly error: string | null;
	readonly error_id: string | null;
}

const nothing_wrong: Wrong = { code: null, error: null, error_id: null };
const plain_outcome = '"status":"ok","code":null,"error":null,"error_id":null,"requests":1';

function orNull(id: string): string {
	return id === "" ? "null" : `"${id}"`;
}

/** What a text of JSON, or null, says; nearly none has an escape. */
function unquoted(text: string): string | null {
	if (text === "null") return null;
	return text.includes("\\") ? (JSON.parse(text) as string) : text.slice(1, -1);
}

/** Parts that were read lately. */
const known_members = new Map<string, object>();
const known_members_max = 4_000;

function membersOf(part: string): object {
	const known = known_members.get(part);
	if (known !== undefined) return known;
	const members = parseMembers(part);
	if (known_members.size >= known_members_max) known_members.clear();
	known_members.set(part, members);
	return members;
}

function parseMembers(part: string): object {
	return JSON.parse(`{${part}}`) as object;
}
