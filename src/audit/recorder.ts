import type { Random } from "../lib/random.ts";
import { LineWriter } from "../telemetry/packed/line-writer.ts";
import { type UnpackedRow, unpackCalls } from "../telemetry/packed/unpack-calls.ts";
import { sealBlock } from "./block.ts";
import type { JsonWriter } from "./chain.ts";
import type { ChainWriter } from "./chain-writer.ts";
import { begin_bytes_max, writeEntry } from "./entries.ts";
import {
	type AppendMessage,
	type DoneMessage,
	no_owner,
	type OwnerTuple,
	payload_lost,
} from "./messages.ts";
import type { PayloadKey, PayloadKeys } from "./payload-keys.ts";
import type { PayloadRedaction } from "./payload-redaction.ts";

/** A block that has grown past this is followed by another: one call is read without the rest. */
const block_bytes_max = 1024 * 1024;

const no_bytes = Buffer.alloc(0);

/** Some bytes where they stand: a buffer of its own for each entry would take longer to make. */
interface Piece {
	readonly bytes: Buffer;
	readonly start: number;
	end: number;
}

/** Payloads as they are kept, one behind the other. */
interface CleanPayload extends Readonly<Piece> {
	readonly input_bytes: number;
	readonly output_bytes: number;
}

/** An entry on its way into the log. */
interface Incoming {
	/** A call, or JSON without its closing brace. */
	readonly row: UnpackedRow;
	readonly owner: number;
	readonly now_ms: number;
	/** Which of the messages it came in. */
	readonly message: number;
	readonly payload: CleanPayload;
}

/** Entries of several messages that are appended as one. */
interface Group {
	readonly key: PayloadKey;
	readonly pieces: Piece[];
	length_bytes: number;
}

/** Puts what the gateway sends into the log: payloads sealed in blocks, entries behind them. */
export class Recorder {
	readonly #writer: ChainWriter;
	readonly #keys: PayloadKeys;
	readonly #random: Random;
	readonly #redaction: PayloadRedaction;
	readonly #json = new EntryJson();
	readonly #afterPiece: () => void;
	/** Entries that could not be kept since the last that was. */
	#lost = 0;
	/** Payloads of this append out of which secrets could not be taken. */
	#uncleaned = 0;

	constructor(parts: {
		writer: ChainWriter;
		keys: PayloadKeys;
		random: Random;
		redaction: PayloadRedaction;
		afterPiece: () => void;
	}) {
		this.#redaction = parts.redaction;
		this.#writer = parts.writer;
		this.#keys = parts.keys;
		this.#random = parts.random;
		this.#afterPiece = parts.afterPiece;
	}

	/**
	 * Appends several messages with one write. Where the disk has no room for the payloads the
	 * entries are tried without; never throws for what the disk does.
	 */
	append(messages: readonly AppendMessage[]): DoneMessage {
		const batch = messages.at(-1)?.batch ?? 0;
		this.#uncleaned = 0;
		const incoming = messages.flatMap((message, index) => [...this.#entriesOf(message, index)]);
		const owners = messages.map(({ owners }) => owners);
		const with_payloads = incoming.filter(({ payload }) => lengthOf(payload) > 0).length;
		let error: string | undefined;
		for (const payloads of [true, false]) {
			try {
				this.#write(incoming, owners, payloads);
				this.#lost = 0;
				const payloads_lost = this.#uncleaned + (payloads ? 0 : with_payloads);
				return { kind: "done", batch, kept: true, payloads_lost, error };
			} catch (thrown) {
				error = errorCode(thrown);
				if (with_payloads === 0) break;
			}
		}
		this.#lost += incoming.length;
		return { kind: "done", batch, kept: false, payloads_lost: with_payloads, error };
	}

	/** Says in the log that entries never reached it. */
	noteLost(entries: number): void {
		this.#lost += entries;
	}

	*#entriesOf(message: AppendMessage, index: number): Generator<Incoming> {
		const { sizes, now_ms } = message;
		// A copy: what is sealed may not be memory that others can write to.
		const payloads =
			message.payloads === undefined
				? no_bytes
				: Buffer.from(new Uint8Array(message.payloads).slice(0, total(sizes)).buffer);
		// Most often there is no secret anywhere; then nothing has to be looked at one by one.
		const is_clean = this.#redaction.isClean(payloads);
		let at = 0;
		let number = 0;
		for (const row of unpackCalls(message.entries)) {
			const owner = sizes[number] ?? no_owner;
			const between = at + (sizes[number + 1] ?? 0);
			const end = between + (sizes[number + 2] ?? 0);
			const payload =
				is_clean && end - at <= this.#redaction.bytes_max
					? asItIs(payloads, at, between, end)
					: this.#cleaned(payloads, at, between, end);
			const kept_owner = payload === none ? payload_lost : owner;
			yield { row, now_ms, message: index, owner: kept_owner, payload };
			this.#afterPiece();
			number += 3;
			at = end;
		}
	}

	/** Payloads without secrets; none where they cannot be taken out. */
	#cleaned(payloads: Buffer, start: number, between: number, end: number): CleanPayload {
		const [input, output] = [payloads.subarray(start, between), payloads.subarray(between, end)];
		try {
			const [safe_input, safe_output] = [
				this.#redaction.clean(input),
				this.#redaction.clean(output),
			];
			const are_clean = safe_input === input && safe_output === output;
			if (are_clean) return asItIs(payloads, start, between, end);
			const bytes = Buffer.concat([safe_input, safe_output]);
			return asItIs(bytes, 0, safe_input.length, bytes.length);
		} catch {
			this.#uncleaned += 1;
			return none;
		}
	}

	#write(
		incoming: readonly Incoming[],
		owners: readonly (readonly OwnerTuple[])[],
		payloads: boolean,
	): void {
		const keys = new Map<OwnerTuple, PayloadKey>();
		const groups: Group[] = [];
		const places = payloads
			? incoming.map((entry) => {
					if (lengthOf(entry.payload) === 0) return undefined;
					const owner = owners[entry.message]?.[entry.owner];
					if (owner === undefined) return undefined;
					return this.#place(entry, owner, keys, groups);
				})
			: [];
		const random = this.#random;
		const afterPiece = this.#afterPiece;
		const lost = this.#lost;
		const json = this.#json;
		// One after the other: what is made for one entry is gone before the next.
		this.#writer.append(function* (first_seq) {
			const at_ms = incoming[0]?.now_ms ?? 0;
			if (lost > 0) yield JSON.stringify({ kind: "lost", at_ms, entries: lost });
			const blocks_from = lost > 0 ? first_seq + 1 : first_seq;
			for (const [index, { key, pieces }] of groups.entries()) {
				const payloads = pieces.map(({ bytes, start, end }) => bytes.subarray(start, end));
				yield sealBlock(blocks_from + index, key, payloads, { random, at_ms });
			}
			for (let index = 0; index < incoming.length; index += 1) {
				yield json.of(incoming[index] as Incoming, places[index], blocks_from);
				afterPiece();
			}
		});
	}

	/** Puts the payloads of an entry into the block of its owner. */
	#place(
		entry: Incoming,
		owner: OwnerTuple,
		keys: Map<OwnerTuple, PayloadKey>,
		groups: Group[],
	): Place {
		let key = keys.get(owner);
		if (key === undefined) {
			const [tenant, user, risk] = owner;
			key = this.#keys.keyFor({ tenant, user, risk }, entry.now_ms);
			keys.set(owner, key);
		}
		const payload_bytes = lengthOf(entry.payload);
		let group = groups.findLastIndex((one) => one.key === key);
		const open = groups[group];
		if (open === undefined || open.length_bytes + payload_bytes > block_bytes_max) {
			group = groups.push({ key, pieces: [], length_bytes: 0 }) - 1;
		}
		const into = groups[group] as Group;
		const at = into.length_bytes;
		addPiece(into.pieces, entry.payload);
		into.length_bytes += payload_bytes;
		return { group, at };
	}
}

/** Two pieces are one where they adjoin: sealing costs more for each piece than for its bytes. */
function addPiece(pieces: Piece[], { bytes, start, end }: Readonly<Piece>): void {
	const last = pieces.at(-1);
	if (last !== undefined && last.bytes === bytes && last.end === start) last.end = end;
	else pieces.push({ bytes, start, end });
}

/** The JSON of an entry: what the gateway said of it, and where its payload is. */
class EntryJson implements JsonWriter {
	readonly #writer = new LineWriter(no_bytes, 0);
	#entry: Incoming | undefined;
	#end = "";

	/** The next entry. */
	of(entry: Incoming, place: Place | undefined, blocks_from: number): this {
		this.#entry = entry;
		this.#end = endOf(entry, place, blocks_from);
		return this;
	}

	get bytes_max(): number {
		const { row } = this.#entry as Incoming;
		const said = typeof row === "string" ? 3 * row.length : begin_bytes_max + row.bytes_max;
		return said + this.#end.length;
	}

	write(bytes: Buffer, at: number): number {
		const { row, now_ms } = this.#entry as Incoming;
		const writer = this.#writer;
		writer.moveTo(bytes, at);
		if (typeof row === "string") writer.at += bytes.write(row, at, "utf8");
		else writeEntry(writer, row, now_ms);
		writer.text(this.#end);
		return writer.at;
	}
}

/** Where a payload is: in which of the blocks, and from which byte on. */
interface Place {
	readonly group: number;
	readonly at: number;
}

function endOf(entry: Incoming, place: Place | undefined, blocks_from: number): string {
	const { owner, payload } = entry;
	if (owner === payload_lost) return ',"payload":"lost"}';
	if (lengthOf(payload) === 0) return "}";
	if (place === undefined) return ',"payload":"lost"}';
	const { group, at } = place;
	return `,"payload":[${blocks_from + group},${at},${payload.input_bytes},${payload.output_bytes}]}`;
}

const none: CleanPayload = { input_bytes: 0, output_bytes: 0, bytes: no_bytes, start: 0, end: 0 };

function asItIs(bytes: Buffer, start: number, between: number, end: number): CleanPayload {
	return { input_bytes: between - start, output_bytes: end - between, bytes, start, end };
}

function lengthOf({ start, end }: Readonly<Piece>): number {
	return end - start;
}

/** Bytes of all payloads. */
function total(sizes: Int32Array): number {
	let bytes = 0;
	for (let at = 0; at < sizes.length; at += 3) bytes += (sizes[at + 1] ?? 0) + (sizes[at + 2] ?? 0);
	return bytes;
}

/** The code of an error of the disk, else its name. */
export function errorCode(error: unknown): string {
	const { code, name } = error as NodeJS.ErrnoException;
	return code ?? name;
}
