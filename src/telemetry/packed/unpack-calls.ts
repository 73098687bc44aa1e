import type { TimedLine } from "../call-line.ts";
import type { DecidedMembers, WhatMembers, WhoMembers } from "../line-parts.ts";
import { isoTime, micros } from "../line-text.ts";
import { at, forms, ids, type PackedCalls, row_numbers, statuses } from "./layout.ts";
import { ascii, type LineWriter } from "./line-writer.ts";

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
	yield* rowsOf(unpacked(numbers, parts, texts), rows);
}

/** The same of a copy, for who needs a row for longer. */
export function* copyCalls(packed: PackedCalls): Generator<UnpackedRow> {
	const { memory, rows, text_start, text_bytes, parts } = packed;
	const numbers = new Float64Array(memory, 0, rows * row_numbers).slice();
	const texts = Buffer.from(Buffer.from(memory, text_start, text_bytes));
	yield* rowsOf(unpacked(numbers, parts, texts), rows);
}

function unpacked(numbers: Float64Array, parts: readonly string[], texts: Buffer): Unpacked {
	const places = Array.from({ length: full_fields }, () => ({ start: 0, end: 0 }));
	return { numbers, parts, texts, read_row: -1, read: [], encoded: [], placed_row: -1, places };
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
	/** Parts as bytes, once they are asked for. */
	readonly encoded: Uint8Array[];
	/** The row that was written last, and where its fields are. */
	placed_row: number;
	readonly places: readonly Place[];
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

	/** Bytes that what is written of it takes at the most. */
	get bytes_max(): number {
		const { numbers } = this.#all;
		const row = this.#row * row_numbers;
		const text_end = numbers[row + row_numbers + at.text] ?? this.#all.texts.length;
		const texts = text_end - (numbers[row + at.text] as number);
		const parts = this.#bytesOf(at.who).length + this.#bytesOf(at.what).length;
		return texts + parts + this.#bytesOf(at.decided).length + names_bytes_max;
	}

	/** Writes the members of its line as JSON, without braces. */
	writeMembers(to: LineWriter): void {
		const { numbers } = this.#all;
		const row = this.#row * row_numbers;
		const number = (place: number) => numbers[row + place] as number;
		to.bytes(named.ts);
		to.time(this.start_ms + number(at.duration_ms));
		to.bytes(named.id);
		this.writeId(to);
		to.bytes(named.who);
		to.bytes(this.#bytesOf(at.who));
		to.bytes(comma);
		to.bytes(this.#bytesOf(at.what));
		to.bytes(comma);
		this.#writeOutcome(to);
		for (const [name, place] of durations) {
			to.bytes(name);
			to.micros(number(place));
		}
		to.bytes(comma);
		to.bytes(this.#bytesOf(at.decided));
		to.bytes(named.approval_id);
		this.#writeApproval(to);
		this.#writeSizes(to);
		to.bytes(named.request_id);
		this.#writeField(to, 2);
		to.bytes(named.trace_id);
		this.#writeIds(to, 0, ids.trace);
		to.bytes(named.span_id);
		this.#writeIds(to, ids.trace, ids.trace + ids.span);
		to.bytes(named.parent_span_id);
		const parent = ids.trace + ids.span + ids.hash;
		const { start, end } = this.#field(1);
		if (end - start <= parent) return to.bytes(named.none);
		to.bytes(quotes);
		to.part(this.#all.texts, start + parent, end);
		to.bytes(quotes);
	}

	/** Writes what is known of it before it is done: members of its line as JSON, without braces. */
	writeAsked(to: LineWriter): void {
		to.bytes(named.asked);
		this.#writeField(to, 2);
		to.bytes(named.trace_id);
		this.#writeIds(to, 0, ids.trace);
		to.bytes(named.who);
		to.bytes(this.#bytesOf(at.who));
		to.bytes(comma);
		to.bytes(this.#bytesOf(at.what));
		to.bytes(comma);
		to.bytes(this.#bytesOf(at.decided));
		to.bytes(named.approval_id);
		this.#writeApproval(to);
		to.bytes(named.input_bytes);
		to.number(this.#number(at.input_bytes));
		to.bytes(named.input_hash);
		this.#writeIds(to, ids.trace + ids.span, ids.trace + ids.span + ids.hash);
		to.bytes(quotes);
	}

	/** Writes what became of it, likewise. */
	writeAnswered(to: LineWriter): void {
		to.bytes(named.status);
		to.text(this.#status());
		to.bytes(quotes);
		if (this.#hasFailed()) {
			to.bytes(comma);
			this.#writeField(to, 4);
		}
		to.bytes(named.duration_ms);
		to.micros(this.#number(at.duration_ms));
		to.bytes(named.output_bytes);
		to.number(this.#number(at.output_bytes));
	}

	/** Writes its id. */
	writeId(to: LineWriter): void {
		this.#writeField(to, 0);
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
			audit_ms: micros(this.#number(at.audit_ms)),
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

	#hasFailed(): boolean {
		if (!this.#isFull()) return false;
		const { start, end } = this.#field(4);
		return end > start;
	}

	#writeOutcome(to: LineWriter): void {
		if (!this.#hasFailed()) return to.bytes(plain_outcome);
		to.bytes(named.status);
		to.text(this.#status());
		to.bytes(named.wrong);
		this.#writeField(to, 4);
		to.bytes(named.requests);
	}

	#writeApproval(to: LineWriter): void {
		if (this.#isFull()) this.#writeField(to, 3);
		else to.bytes(named.none);
	}

	#writeSizes(to: LineWriter): void {
		to.bytes(named.input_bytes);
		to.number(this.#number(at.input_bytes));
		to.bytes(named.output_bytes);
		to.number(this.#number(at.output_bytes));
		to.bytes(named.input_hash);
		this.#writeIds(to, ids.trace + ids.span, ids.trace + ids.span + ids.hash);
		to.bytes(quotes);
	}

	#writeField(to: LineWriter, field: number): void {
		const { start, end } = this.#field(field);
		to.part(this.#all.texts, start, end);
	}

	/** Some of the ids that stand in one field; they are as long as they are. */
	#writeIds(to: LineWriter, from: number, until: number): void {
		const { start, end } = this.#field(1);
		to.part(this.#all.texts, Math.min(start + from, end), Math.min(start + until, end));
	}

	/** Where a field stands among all texts. */
	#field(field: number): Place {
		const all = this.#all;
		if (all.placed_row !== this.#row) {
			all.placed_row = this.#row;
			place(all);
		}
		return all.places[field] as Place;
	}

	#bytesOf(part: number): Uint8Array {
		const all = this.#all;
		const number = this.#number(part);
		const known = all.encoded[number];
		if (known !== undefined) return known;
		const made = Buffer.from(all.parts[number] as string);
		all.encoded[number] = made;
		return made;
	}
}

/** Where something stands: behind the last byte is `end`. */
interface Place {
	start: number;
	end: number;
}

/** Finds the fields of the row that is to be written. */
function place({ numbers, texts, places, placed_row }: Unpacked): void {
	const row = placed_row * row_numbers;
	let start = numbers[row + at.text] as number;
	const fields = numbers[row + at.form] === forms.full_call ? places.length : call_fields;
	for (let field = 0; field < fields; field += 1) {
		const one = places[field] as Place;
		one.start = start;
		while (start < texts.length && texts[start] !== newline) start += 1;
		one.end = start;
		start += 1;
	}
}

const newline = 0x0a;
/** Fields of a call without what went wrong, and with it. */
const call_fields = 3;
const full_fields = 5;

const comma = ascii(",");
const quotes = ascii('"');
/** Names of members, with what stands before and behind them. */
const named = {
	ts: ascii('"ts":"'),
	id: ascii('","service":"moorage","id":"'),
	who: ascii('",'),
	status: ascii('"status":"'),
	wrong: ascii('",'),
	requests: ascii(',"requests":1'),
	approval_id: ascii(',"approval_id":'),
	input_bytes: ascii(',"input_bytes":'),
	output_bytes: ascii(',"output_bytes":'),
	input_hash: ascii(',"input_hash":"'),
	request_id: ascii(',"request_id":'),
	asked: ascii('"request_id":'),
	trace_id: ascii(',"trace_id":"'),
	span_id: ascii('","span_id":"'),
	parent_span_id: ascii('","parent_span_id":'),
	duration_ms: ascii(',"duration_ms":'),
	none: ascii("null"),
};
const durations = (
	[
		...["duration_ms", "queue_ms", "wake_ms", "approval_ms", "upstream_ms", "policy_ms"],
		"audit_ms",
	] as const
).map((name) => [ascii(`,"${name}":`), at[name]] as const);
/** All names, and numbers as long as numbers get. */
const names_bytes_max = 1_024;

interface Wrong {
	readonly code: string | null;
	readonly error: string | null;
	readonly error_id: string | null;
}

const nothing_wrong: Wrong = { code: null, error: null, error_id: null };
const plain_outcome = ascii('"status":"ok","code":null,"error":null,"error_id":null,"requests":1');

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
