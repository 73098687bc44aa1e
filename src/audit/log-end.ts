import { join } from "node:path";
import { type ChainHead, isWhole, readLine } from "./chain.ts";
import { type Checkpoint, readCheckpoint } from "./checkpoint.ts";
import type { Disk } from "./disk.ts";
import { type Heads, readHeads } from "./head-file.ts";
import { checkpoint_name, listSegments } from "./segments.ts";
import type { Verifier } from "./signing-key.ts";

/** What stands at the end of the last segment, and is no entry. */
export interface SegmentTail {
	/** Where the lines end, the one included that an interrupted append may have left. */
	readonly lines_end: number;
	/** Where the last byte is that is no zero: more than `lines_end` where a failing machine was. */
	readonly used_end: number;
}

/**
 * Tells the lines of the last segment from the zeroes that were written ahead of it; no line has a
 * zero. A machine that fails may leave zeroes in the middle of an append, whose parts reach the
 * disk in any order, and somebody who copies the file while it is written to may see it so: the log
 * ends before them. Where what is signed says that it went on, they stand in what was on the disk,
 * and are for the verifier to name.
 */
export function tailOf(bytes: Buffer, first_seq: number, attested_seq: number): SegmentTail {
	const zeroes = bytes.indexOf(0);
	if (zeroes < 0) return { lines_end: bytes.length, used_end: bytes.length };
	let used_end = bytes.length;
	while (used_end > zeroes && bytes[used_end - 1] === 0) used_end -= 1;
	if (used_end === zeroes) return { lines_end: zeroes, used_end };
	const last_seq = endOf(bytes.subarray(0, zeroes)).head?.seq ?? first_seq - 1;
	return { lines_end: last_seq < attested_seq ? used_end : zeroes, used_end };
}

/** Where the last whole entry of a segment ends. */
export interface SegmentEnd {
	/** Undefined where there is no whole entry. */
	readonly head: ChainHead | undefined;
	readonly length_bytes: number;
}

/** Finds the last whole entry of a segment. */
export function endOf(bytes: Buffer): SegmentEnd {
	// From the end backwards: what was altered further up is for the verifier, not for us to cut.
	let end = bytes.lastIndexOf(0x0a);
	while (end >= 0) {
		const start = bytes.lastIndexOf(0x0a, end - 1) + 1;
		const line = end === 0 ? undefined : readLine(bytes.subarray(start, end).toString("utf8"));
		if (line !== undefined && isWhole(line)) {
			return { head: { seq: line.seq, hash: line.hash }, length_bytes: end + 1 };
		}
		if (start === 0) break;
		end = start - 1;
	}
	return { head: undefined, length_bytes: 0 };
}

/**
 * What a start finds wrong at the end of a log, and says in the entry it begins with. The files
 * beside the log are written anew from then on: without this nobody would know later.
 */
export interface EndTrouble {
	/** The file with the last checkpoint is gone, or not signed by the key. */
	readonly checkpoint?: "missing" | "unreadable";
	/** The same of the head; `torn` where one slot can be explained by a write that was cut short. */
	readonly head?: "missing" | "unreadable" | "torn";
	/** A signed note that says that the log was longer. */
	readonly attested?: string;
	/** An entry that is signed otherwise than it stands in the log. */
	readonly rewritten?: number;
}

/** What stands beside a log: its last checkpoint and its head. */
export interface Beside {
	readonly checkpoint: Checkpoint | undefined;
	readonly has_checkpoint: boolean;
	readonly heads: Heads | undefined;
	/** The later of the two as a signed note. */
	readonly note: string | undefined;
	readonly latest: Checkpoint | undefined;
}

/** Reads what stands beside a log. Throws on errors of the disk. */
export function readBeside(folder: string, disk: Disk, verifier: Verifier): Beside {
	const note = disk.readIfThere(join(folder, checkpoint_name))?.toString("utf8");
	const checkpoint = note === undefined ? undefined : readCheckpoint(note, verifier);
	const heads = readHeads(folder, disk, verifier);
	const by_head = (heads?.latest?.seq ?? -1) >= (checkpoint?.seq ?? 0);
	return {
		checkpoint,
		has_checkpoint: note !== undefined,
		heads,
		note: by_head ? heads?.note : note,
		latest: by_head ? heads?.latest : checkpoint,
	};
}

/**
 * How the head of a log that ends with `last_seq` is. A slot that is not as it was written can be
 * one that a failing machine has cut short, but only where entries stand behind the other one:
 * those were on the disk before it was written.
 */
export function stateOfHead(
	heads: Heads | undefined,
	last_seq: number,
): "missing" | "unreadable" | "torn" | "whole" {
	if (heads === undefined) return "missing";
	if (heads.unreadable === 0) return "whole";
	const { latest } = heads;
	return latest === undefined || heads.unreadable > 1 || latest.seq >= last_seq
		? "unreadable"
		: "torn";
}

/** Holds the end of a log, its last whole entry, against what stands beside it. */
export function findTrouble(
	folder: string,
	end: ChainHead,
	beside: Beside,
	disk: Disk,
): EndTrouble {
	const { checkpoint, has_checkpoint, heads, latest, note } = beside;
	const state = stateOfHead(heads, end.seq);
	const is_cut = latest !== undefined && latest.seq > end.seq;
	const is_rewritten =
		latest !== undefined && !is_cut && !isInLog(latest, end, listSegments(folder, disk), disk);
	return {
		...(checkpoint === undefined && { checkpoint: has_checkpoint ? "unreadable" : "missing" }),
		...(state !== "whole" && { head: state }),
		...(is_cut && note !== undefined && { attested: note }),
		...(is_rewritten && { rewritten: latest.seq }),
	};
}

/** Whether an entry has the hash that was signed; true where it is gone, with its whole segment. */
function isInLog(
	signed: ChainHead,
	end: ChainHead,
	segments: ReturnType<typeof listSegments>,
	disk: Disk,
): boolean {
	if (signed.seq === end.seq) return signed.hash === end.hash;
	const segment = segments.findLast(({ first_seq }) => first_seq <= signed.seq);
	if (segment === undefined) return true;
	const bytes = disk.read(segment.path);
	const start = segment.first_seq === signed.seq ? 0 : bytes.indexOf(`\n${signed.seq} `) + 1;
	const stop = bytes.indexOf(0x0a, start);
	const line = readLine(bytes.toString("utf8", start, stop < 0 ? bytes.length : stop));
	// A line that is no entry, or another one, is for the verifier to name.
	return line?.seq !== signed.seq || line.hash === signed.hash;
}
