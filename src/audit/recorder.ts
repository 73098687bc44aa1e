import type { Random } from "../lib/random.ts";
import { type Block, sealBlock } from "./block.ts";
import type { ChainWriter } from "./chain-writer.ts";
import type { AppendMessage, DoneMessage, OwnerTuple } from "./messages.ts";
import type { KeyOwner, PayloadKey, PayloadKeys } from "./payload-keys.ts";

/** A block that has grown past this is followed by another: one call is read without the rest. */
const block_bytes_max = 1024 * 1024;

/** An entry on its way into the log. */
interface Incoming {
	/** JSON without its closing brace. */
	readonly open_json: string;
	readonly owner: number;
	readonly input_bytes: number;
	readonly output_bytes: number;
	/** Its payloads, one behind the other. */
	readonly payload: Uint8Array;
	readonly now_ms: number;
	/** Which of the messages it came in. */
	readonly message: number;
}

/** Entries of several messages that are appended as one. */
interface Group {
	readonly key: PayloadKey;
	readonly payloads: Uint8Array[];
	bytes: number;
}

/** Puts what the gateway sends into the log: payloads sealed in blocks, entries behind them. */
export class Recorder {
	readonly #writer: ChainWriter;
	readonly #keys: PayloadKeys;
	readonly #random: Random;
	/** Entries that could not be kept since the last that was. */
	#lost = 0;

	constructor(parts: { writer: ChainWriter; keys: PayloadKeys; random: Random }) {
		this.#writer = parts.writer;
		this.#keys = parts.keys;
		this.#random = parts.random;
	}

	/**
	 * Appends several messages with one write. Where the disk has no room for the payloads the
	 * entries are tried without; never throws for what the disk does.
	 */
	append(messages: readonly AppendMessage[]): DoneMessage {
		const batch = messages.at(-1)?.batch ?? 0;
		const incoming = messages.flatMap((message, index) => [...entriesOf(message, index)]);
		const owners = messages.map(({ owners }) => owners);
		const with_payloads = incoming.filter(({ payload }) => payload.length > 0).length;
		let error: string | undefined;
		for (const payloads of [true, false]) {
			try {
				this.#write(incoming, owners, payloads);
				this.#lost = 0;
				const payloads_lost = payloads ? 0 : with_payloads;
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

	#write(
		incoming: readonly Incoming[],
		owners: readonly (readonly OwnerTuple[])[],
		payloads: boolean,
	): void {
		const keys = new Map<string, PayloadKey>();
		const groups: Group[] = [];
		const places = payloads
			? incoming.map((entry) => {
					if (entry.payload.length === 0) return undefined;
					const owner = owners[entry.message]?.[entry.owner];
					if (owner === undefined) return undefined;
					return this.#place(entry, owner, keys, groups);
				})
			: [];
		this.#writer.append((first_seq) => {
			const lost = this.#lost;
			const at_ms = incoming[0]?.now_ms ?? 0;
			const ahead = lost > 0 ? [JSON.stringify({ kind: "lost", at_ms, entries: lost })] : [];
			const blocks_from = first_seq + ahead.length;
			const blocks: Block[] = groups.map((group, index) =>
				sealBlock(blocks_from + index, group.key, group.payloads, { random: this.#random, at_ms }),
			);
			const lines = ahead.concat(blocks.map((block) => JSON.stringify(block)));
			for (const [index, entry] of incoming.entries()) {
				lines.push(closeJson(entry, places[index], blocks_from, payloads));
			}
			return lines;
		});
	}

	/** Puts the payloads of an entry into the block of its owner. */
	#place(
		entry: Incoming,
		[tenant, user, risk]: OwnerTuple,
		keys: Map<string, PayloadKey>,
		groups: Group[],
	): { group: number; at: number } {
		const owner: KeyOwner = { tenant, user, risk };
		const name = `${tenant}\n${user}\n${risk}`;
		let key = keys.get(name);
		if (key === undefined) {
			key = this.#keys.keyFor(owner, entry.now_ms);
			keys.set(name, key);
		}
		let group = groups.findLastIndex((one) => one.key === key);
		const open = groups[group];
		if (open === undefined || open.bytes + entry.payload.length > block_bytes_max) {
			group = groups.push({ key, payloads: [], bytes: 0 }) - 1;
		}
		const into = groups[group] as Group;
		const at = into.bytes;
		into.payloads.push(entry.payload);
		into.bytes += entry.payload.length;
		return { group, at };
	}
}

function closeJson(
	entry: Incoming,
	place: { group: number; at: number } | undefined,
	blocks_from: number,
	payloads: boolean,
): string {
	const { open_json, input_bytes, output_bytes, payload } = entry;
	if (payload.length === 0) return `${open_json}}`;
	if (!payloads || place === undefined) return `${open_json},"payload":"lost"}`;
	const { group, at } = place;
	return `${open_json},"payload":[${blocks_from + group},${at},${input_bytes},${output_bytes}]}`;
}

function* entriesOf(message: AppendMessage, index: number): Generator<Incoming> {
	const { sizes, now_ms } = message;
	const entries = Buffer.from(message.entries, 0, message.entries_bytes).toString("utf8");
	// A copy: what is sealed may not be memory that others can write to.
	const payloads =
		message.payloads === undefined
			? no_bytes
			: new Uint8Array(message.payloads).slice(0, total(sizes));
	let at = 0;
	let number = 0;
	for (const open_json of entries.slice(0, -1).split("\n")) {
		const [owner = -1, input_bytes = 0, output_bytes = 0] = sizes.subarray(number, number + 3);
		number += 3;
		const payload = payloads.subarray(at, at + input_bytes + output_bytes);
		at += payload.length;
		yield { open_json, owner, input_bytes, output_bytes, payload, now_ms, message: index };
	}
}

const no_bytes = new Uint8Array(0);

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
