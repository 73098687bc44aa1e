import { join } from "node:path";
import type { ChainHead } from "./chain.ts";
import { type Checkpoint, readCheckpoint, writeCheckpoint } from "./checkpoint.ts";
import type { Disk } from "./disk.ts";
import { head_name } from "./segments.ts";
import type { Signer, Verifier } from "./signing-key.ts";

/**
 * The head of the log: the last entry that is on the disk, signed in the form of a checkpoint. It
 * is written after each append, so that a log which was cut off at its end is told from one that
 * ended there. The file has two slots of one sector each, which are written in turn: whatever
 * interrupts a write leaves the other one. It is never written before its entries are on the disk,
 * and so may lag behind the log, but not be ahead of it.
 */

/** What disks write whole: of a slot there is all of the old or all of the new. */
const slot_bytes = 512;
const slots = 2;
/** How often the file is read where a gateway may be writing a slot at the same moment. */
const reads_max = 3;

/** What a head file says. */
export interface Heads {
	/** The later of those that are signed by the key; undefined where none is. */
	readonly latest: Checkpoint | undefined;
	/** `latest` as the signed note it is. */
	readonly note: string | undefined;
	/** Slots that are not as they were written: 0 to 2. */
	readonly unreadable: number;
	readonly bytes: Buffer;
}

/** Reads the head file of an audit folder; undefined where there is none. Other errors throw. */
export function readHeads(folder: string, disk: Disk, verifier: Verifier): Heads | undefined {
	for (let reads = 1; ; reads += 1) {
		const bytes = disk.readIfThere(join(folder, head_name));
		if (bytes === undefined) return undefined;
		const heads = parseHeads(bytes, verifier);
		if (heads.unreadable === 0 || reads === reads_max) return heads;
	}
}

function parseHeads(bytes: Buffer, verifier: Verifier): Heads {
	let latest: Checkpoint | undefined;
	let note: string | undefined;
	let readable = 0;
	for (let slot = 0; slot < slots; slot += 1) {
		const own = bytes.subarray(slot * slot_bytes, (slot + 1) * slot_bytes);
		const text = `${own.toString("utf8").trimEnd()}\n`;
		const head = readCheckpoint(text, verifier);
		// One way to write a slot, so that no byte of it is free.
		if (head === undefined || !slotOf(text).equals(own)) continue;
		readable += 1;
		if (latest !== undefined && latest.seq >= head.seq) continue;
		latest = head;
		note = text;
	}
	// What stands behind the slots was not written by us, and makes neither of them right.
	const unreadable = bytes.length > slots * slot_bytes ? slots : slots - readable;
	return { latest, note, unreadable, bytes };
}

/** A note, filled up with line breaks to the length of a slot. */
function slotOf(note: string): Buffer {
	const slot = Buffer.alloc(slot_bytes, "\n");
	slot.write(note);
	return slot;
}

/** Writes the head of one log, whose only writer it is. */
export class HeadFile {
	readonly #options: HeadFileOptions;
	readonly #file: number;
	/** Where the next head goes: over the older of the two. */
	#slot = 0;
	#last: Buffer;

	/** Puts a new file in the place of the one that is there. Throws on errors of the disk. */
	constructor(options: HeadFileOptions, head: ChainHead) {
		this.#options = options;
		const { folder, disk } = options;
		const path = join(folder, head_name);
		this.#last = this.#sign(head);
		disk.replace(path, Buffer.concat([this.#last, this.#last]));
		disk.syncFolder(folder);
		this.#file = disk.openInPlace(path);
	}

	/** Notes where the log stands; its entries are on the disk. Throws on errors of the disk. */
	write(head: ChainHead): void {
		this.#last = this.#sign(head);
		this.#put();
	}

	/** Makes both slots say the last head, so that neither may be altered; closes the file. */
	close(): void {
		const { disk } = this.#options;
		try {
			this.#put();
			disk.sync(this.#file);
		} finally {
			disk.close(this.#file);
		}
	}

	#put(): void {
		this.#options.disk.writeAt(this.#file, this.#last, this.#slot * slot_bytes);
		// Not before it is written: a slot in which a write failed is written again, not the other.
		this.#slot = (this.#slot + 1) % slots;
	}

	#sign(head: ChainHead): Buffer {
		const { signer, now } = this.#options;
		return slotOf(writeCheckpoint({ ...head, at_ms: now() }, signer));
	}
}

/** What a head file is written with. */
export interface HeadFileOptions {
	readonly folder: string;
	readonly disk: Disk;
	readonly signer: Signer;
	/** Wall-clock milliseconds. */
	readonly now: () => number;
}
