import { join } from "node:path";
import { type ChainHead, type ChainLine, genesis_hash, isWhole, readLine } from "./chain.ts";
import { type Checkpoint, readCheckpoint } from "./checkpoint.ts";
import type { Disk } from "./disk.ts";
import { findKeysFault } from "./key-line.ts";
import { KeyUse } from "./key-use.ts";
import { type Beside, readBeside, stateOfHead, tailOf } from "./log-end.ts";
import { keys_name } from "./payload-keys.ts";
import { checkpoint_name, head_name, linesOf, listSegments, type Segment } from "./segments.ts";
import type { Verifier } from "./signing-key.ts";

/** What is wrong with a log: the first thing found. */
export interface ChainProblem {
	readonly kind: "altered" | "missing" | "reordered" | "unsigned";
	/** The first entry concerned. */
	readonly seq: number;
	/** The file it is, or should be, in. */
	readonly segment: string;
	/** Counts from 1; 0 where there is no such line. */
	readonly line: number;
	/** A sentence. */
	readonly message: string;
}

/** An intent that no outcome followed: what became of the call is not known. */
export interface OpenIntent {
	readonly seq: number;
	readonly call: string;
	readonly at_ms: number;
	/** What it was about, as the entry has it. */
	readonly entry: Readonly<Record<string, unknown>>;
}

/** What a log was found to be. */
export interface Verification {
	readonly problem: ChainProblem | undefined;
	/** Entries that were found whole, up to the problem if there is one. */
	readonly entries: number;
	readonly first_seq: number;
	readonly last_seq: number;
	/** The last entry that a signed checkpoint, or the signed head of the log, attests. */
	readonly attested_seq: number;
	/** Bytes behind the last entry: an append that was interrupted, which nobody was told of. */
	readonly torn_bytes: number;
	/**
	 * How often one of the two slots of the head was not as it was written, where the machine may
	 * have failed in that moment. Somebody may have altered it too, to hide that entries behind the
	 * last one of the other slot were cut off: that is at most the last append.
	 */
	readonly torn_heads: number;
	readonly unknown_fates: readonly OpenIntent[];
	/** Entries that say that others were lost, because the disk failed: how many in all. */
	readonly lost: number;
}

/** Logs that say that they have this format, or a later one, have a head file. */
const head_format = 2;
/** The same for signatures of the keys of payloads. */
const keys_format = 3;
/** Intents without an outcome that are remembered: where there are so many, there may be more. */
export const open_intents_max = 10_000;

/** What a log is checked with. */
interface VerifyOptions {
	readonly disk: Disk;
	readonly verifier: Verifier;
	/** Whether the file of keys may be missing as a whole: a copy from a bucket has none. */
	readonly is_copy?: boolean;
	readonly onEntry?: (line: ChainLine, entry: Record<string, unknown>) => void;
}

/**
 * Checks the log of a folder from its first entry to its last. Errors of the disk throw.
 * @param onEntry is given every whole entry in order, before a problem is met
 */
export function verifyLog(folder: string, options: VerifyOptions): Verification {
	const found = walkLog(folder, options);
	const { kind, segment } = found.problem ?? {};
	if (kind !== "missing" || segment !== keys_name) return found;
	// A key that was made and destroyed while the log was read is accounted for by the next time.
	const { disk, verifier, is_copy = false } = options;
	return walkLog(folder, { disk, verifier, is_copy });
}

function walkLog(folder: string, options: VerifyOptions): Verification {
	// Before the segments: a gateway may be writing, and then they are older than what is read.
	const beside = readBeside(folder, options.disk, options.verifier);
	const keys = options.disk.readIfThere(join(folder, keys_name));
	const segments = listSegments(folder, options.disk);
	const walk = new Walk(options.verifier, beside, options.onEntry);
	for (const [index, segment] of segments.entries()) {
		const is_last = index === segments.length - 1;
		walk.segment(segment, options.disk.read(segment.path), is_last);
		if (walk.problem !== undefined) break;
	}
	if (walk.problem === undefined) walk.end(segments.at(-1));
	if (walk.problem === undefined) walk.keys(keys);
	// Read again: keys may have been made and destroyed since, as the entries say that were read.
	const keys_now = options.disk.readIfThere(join(folder, keys_name));
	const is_without = options.is_copy === true && keys === undefined && keys_now === undefined;
	if (walk.problem === undefined && !is_without) walk.lostKeys([keys, keys_now]);
	return walk.result();
}

/** Where a line stands. */
interface Place {
	readonly segment: string;
	/** Counts from 1. */
	readonly line: number;
}

/** What stands behind a line in its segment. */
interface Around {
	/** Whether an entry of that number comes later. */
	isLater(seq: number): boolean;
	next(): ChainLine | undefined;
}

class Walk {
	problem: ChainProblem | undefined;
	readonly #verifier: Verifier;
	readonly #onEntry: ((line: ChainLine, entry: Record<string, unknown>) => void) | undefined;
	/** Open intents by call. */
	readonly #intents = new Map<string, OpenIntent>();
	readonly #beside: Beside;
	/** What the files beside the log attest. */
	readonly #signed: readonly Checkpoint[];
	#first: ChainLine | undefined;
	/** What the first entry that is there says came before it. */
	#before: ChainHead | undefined;
	#last: ChainLine | undefined;
	#last_place = { segment: "", line: 0 };
	#entries = 0;
	/** Whether the log says that it has a head file; older ones have none. */
	#has_head_format = false;
	#has_keys_format = false;
	readonly #key_use = new KeyUse();
	/** Whether the files beside the log are there, going by what it says so far. */
	readonly #expected_beside = { checkpoint: false, head: false };
	#attested_seq = 0;
	#torn_bytes = 0;
	#torn_heads = 0;
	#lost = 0;
	/** Says that the log begins where it does. */
	#pruned: { readonly first_seq: number; readonly prev: string } | undefined;

	constructor(
		verifier: Verifier,
		beside: Beside,
		onEntry: ((line: ChainLine, entry: Record<string, unknown>) => void) | undefined,
	) {
		this.#verifier = verifier;
		this.#beside = beside;
		const signed = [beside.checkpoint, beside.heads?.latest];
		this.#signed = signed.filter((one) => one !== undefined);
		this.#onEntry = onEntry;
	}

	segment(segment: Segment, bytes: Buffer, is_last: boolean): void {
		let number = 0;
		const attested_seq = Math.max(0, ...this.#signed.map(({ seq }) => seq));
		const { lines_end, used_end } = is_last
			? tailOf(bytes, segment.first_seq, attested_seq)
			: { lines_end: bytes.length, used_end: bytes.length };
		this.#torn_bytes = used_end - lines_end;
		for (const { start, end, torn } of linesOf(bytes.subarray(0, lines_end))) {
			number += 1;
			const place = { segment: segment.name, line: number };
			if (torn && is_last) {
				this.#torn_bytes = used_end - start;
				return;
			}
			const text = bytes.subarray(start, end).toString("utf8");
			const line = torn ? undefined : readLine(text);
			// Bytes that are no UTF-8 read as replacements, which others could be too.
			const is_text = line !== undefined && Buffer.byteLength(text) === end - start;
			if (!is_text) {
				this.#fail("altered", this.#expected, place, "This line is no entry.");
				return;
			}
			const around: Around = {
				isLater: (seq) => bytes.includes(`\n${seq} `, start),
				next() {
					const [following] = linesOf(bytes.subarray(end + 1));
					if (following === undefined) return undefined;
					return readLine(bytes.toString("utf8", end + 1, end + 1 + following.end));
				},
			};
			if (number === 1 && line.seq !== segment.first_seq && isWhole(line)) {
				this.#disorder(line, place, around);
				return;
			}
			if (!this.#take(line, place, around)) return;
		}
	}

	/** What the end of the log, and the checkpoint beside it, say. */
	end(last: Segment | undefined): void {
		const place = { segment: last?.name ?? "", line: 0 };
		const first = this.#first;
		if (first !== undefined && first.prev !== genesis_hash) {
			// Letting go is said before it is done, and may be interrupted: then more is there.
			const { first_seq = 0, prev } = this.#pruned ?? {};
			if (first.seq > first_seq || (first.seq === first_seq && first.prev !== prev)) {
				this.#fail("missing", first.seq - 1, place, "The log does not begin with its first entry.");
				return;
			}
		}
		this.#endBeside(place);
	}

	/** Whether the files beside the log are there, signed, and attest nothing behind its end. */
	#endBeside(place: Place): void {
		const seq = this.#expected - 1;
		const { checkpoint, has_checkpoint, heads } = this.#beside;
		const head = stateOfHead(heads, seq);
		for (const one of this.#signed) this.#attest(one, place);
		if (!has_checkpoint && this.#expected_beside.checkpoint) {
			this.#fail("unsigned", seq, place, `The file ${checkpoint_name} is gone.`);
		} else if (has_checkpoint && checkpoint === undefined) {
			this.#fail("unsigned", seq, place, "The last checkpoint is not signed by this key.");
		} else if (head === "missing" && this.#expected_beside.head) {
			this.#fail("unsigned", seq, place, `The file ${head_name} is gone.`);
		} else if (head === "unreadable") {
			this.#fail("unsigned", seq, place, `The file ${head_name} is not as it was written.`);
		}
		if (head === "torn") this.#torn_heads += 1;
	}

	/** What the keys of payloads say: those of older logs are not signed. */
	keys(bytes: Buffer | undefined): void {
		const fault = bytes && findKeysFault(bytes, this.#verifier);
		if (fault === undefined || (fault.kind === "unsigned" && !this.#has_keys_format)) return;
		const place = { segment: keys_name, line: fault.line };
		const message = `The key in line ${fault.line} of the file ${keys_name} is not as it was written.`;
		this.#fail(fault.kind, this.#expected - 1, place, message);
	}

	/** Whether every key is there, or was destroyed by us. */
	lostKeys(files: readonly (Buffer | undefined)[]): void {
		const lost = this.#key_use.lost(files);
		if (lost === undefined) return;
		const { id, seq, keys } = lost;
		const others = keys === 1 ? "" : `, and ${keys - 1} more,`;
		const message =
			`The key ${id} of the payloads in entry ${seq}${others} is gone from the file ${keys_name}, ` +
			"and no erasure says so.";
		this.#fail("missing", seq, { segment: keys_name, line: 0 }, message);
	}

	result(): Verification {
		return {
			problem: this.problem,
			entries: this.#entries,
			first_seq: this.#first?.seq ?? 0,
			last_seq: this.#last?.seq ?? 0,
			attested_seq: this.#attested_seq,
			torn_bytes: this.#torn_bytes,
			torn_heads: this.#torn_heads,
			unknown_fates: [...this.#intents.values()],
			lost: this.#lost,
		};
	}

	get #expected(): number {
		return (this.#last?.seq ?? 0) + 1;
	}

	#take(line: ChainLine, place: Place, around: Around): boolean {
		const last = this.#last;
		if (!isWhole(line)) {
			// Told from a gap by what the line would be if it stood in its place.
			const seq = last === undefined ? line.seq : this.#expected;
			return this.#fail("altered", seq, place, `Entry ${seq} is not as it was written.`);
		}
		if (last !== undefined && line.seq !== last.seq + 1) {
			return this.#disorder(line, place, around);
		}
		if (last !== undefined && line.prev !== last.hash) {
			// One of the two was exchanged for another that is whole: the one the next does not know.
			const next = around.next();
			if (next !== undefined && next.prev !== line.hash) {
				return this.#fail("altered", line.seq, place, `Entry ${line.seq} was exchanged.`);
			}
			return this.#fail("altered", last.seq, this.#last_place, `Entry ${last.seq} was exchanged.`);
		}
		if (last === undefined && line.seq === 1 && line.prev !== genesis_hash) {
			return this.#fail("altered", 1, place, "Entry 1 is not the first of a log.");
		}
		const entry = parse(line.json);
		if (entry === undefined) {
			return this.#fail("altered", line.seq, place, `Entry ${line.seq} is not JSON.`);
		}
		this.#first ??= line;
		this.#before ??= { seq: line.seq - 1, hash: line.prev };
		if (!this.#read(line, entry, place)) return false;
		this.#last = line;
		this.#last_place = place;
		for (const signed of this.#signed) {
			if (signed.seq === line.seq && !this.#attest(signed, place)) return false;
		}
		this.#entries += 1;
		this.#onEntry?.(line, entry);
		return true;
	}

	#read(line: ChainLine, entry: Record<string, unknown>, place: Place): boolean {
		const { kind, call, note } = entry;
		if (kind === "start" && !this.#readStart(line.seq, entry, place)) return false;
		this.#expectBeside(entry);
		this.#key_use.read(line.seq, entry);
		if (kind === "intent" && typeof call === "string") {
			const at_ms = Number(entry["at_ms"]);
			if (this.#intents.size < open_intents_max) {
				this.#intents.set(call, { seq: line.seq, call, at_ms, entry });
			}
		} else if (kind === "outcome" && typeof call === "string") {
			this.#intents.delete(call);
		} else if (kind === "lost") {
			this.#lost += Number(entry["entries"]);
		} else if (kind === "pruned") {
			this.#pruned = { first_seq: Number(entry["first_seq"]), prev: String(entry["prev"]) };
		} else if (kind === "checkpoint") {
			const checkpoint = readCheckpoint(String(note), this.#verifier);
			if (checkpoint === undefined) {
				const message = `The checkpoint in entry ${line.seq} is not signed by this key.`;
				return this.#fail("unsigned", line.seq, place, message);
			}
			return this.#attest(checkpoint, place);
		}
		return true;
	}

	/** What the gateway found at the end of the log when it opened it. */
	#readStart(seq: number, entry: Record<string, unknown>, place: Place): boolean {
		const { attested, rewritten, checkpoint, head } = entry;
		const found = typeof attested === "string" && readCheckpoint(attested, this.#verifier);
		if (found && !this.#attest(found, place)) return false;
		if (typeof rewritten === "number") return this.#failRewritten(rewritten, place);
		const lost_checkpoint =
			checkpoint === "unreadable" || (checkpoint === "missing" && this.#expected_beside.checkpoint);
		const lost_head = head === "unreadable" || (head === "missing" && this.#expected_beside.head);
		if (lost_checkpoint || lost_head) {
			const name = lost_checkpoint ? checkpoint_name : head_name;
			const message =
				`When entry ${seq} was written, the file ${name} was gone or altered: ` +
				"entries before it may have been cut off.";
			return this.#fail("unsigned", seq, place, message);
		}
		if (head === "torn") this.#torn_heads += 1;
		return true;
	}

	/**
	 * From which entry on the files beside the log have to be there. A start that missed one says
	 * so before it makes it; whatever follows finds it made.
	 */
	#expectBeside({ kind, format, checkpoint, head }: Record<string, unknown>): void {
		this.#has_head_format ||= Number(format) >= head_format;
		this.#has_keys_format ||= Number(format) >= keys_format;
		const is_start = kind === "start";
		// In older logs it is first made behind the first start, and may be interrupted.
		const has_checkpoint = is_start
			? this.#has_head_format && checkpoint !== "missing"
			: kind !== "checkpoint";
		this.#expected_beside.checkpoint ||= has_checkpoint;
		const misses_head = is_start && head === "missing";
		this.#expected_beside.head ||= this.#has_head_format && !misses_head;
	}

	/** Holds a checkpoint against the entries so far. */
	#attest(checkpoint: Checkpoint, place: Place): boolean {
		const last = this.#last ?? this.#before;
		if (checkpoint.seq > (last?.seq ?? 0)) {
			const message = `The log ends before entry ${checkpoint.seq}, which a checkpoint attests.`;
			return this.#fail("missing", this.#expected, place, message);
		}
		if (last !== undefined && checkpoint.seq === last.seq && checkpoint.hash !== last.hash) {
			return this.#failRewritten(checkpoint.seq, place);
		}
		this.#attested_seq = Math.max(this.#attested_seq, checkpoint.seq);
		return true;
	}

	#failRewritten(seq: number, place: Place): false {
		const from = this.#attested_seq + 1;
		const message =
			`Entries ${from} to ${seq} were written anew: ` +
			"they are not what was signed. One of them was altered first.";
		return this.#fail("altered", from, place, message);
	}

	#disorder(line: ChainLine, place: Place, around: Around): boolean {
		const seq = this.#expected;
		if (line.seq < seq || around.isLater(seq)) {
			const message = `Entry ${line.seq} stands where entry ${seq} belongs.`;
			return this.#fail("reordered", seq, place, message);
		}
		const upto = line.seq - 1;
		const message =
			upto === seq ? `Entry ${seq} is missing.` : `Entries ${seq} to ${upto} are missing.`;
		return this.#fail("missing", seq, place, message);
	}

	#fail(kind: ChainProblem["kind"], seq: number, place: Place, message: string): false {
		this.problem ??= { kind, seq, ...place, message };
		return false;
	}
}

function parse(json: string): Record<string, unknown> | undefined {
	try {
		return JSON.parse(json) as Record<string, unknown>;
	} catch {
		return undefined;
	}
}
