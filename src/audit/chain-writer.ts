import { join } from "node:path";
import { type ChainHead, empty_head, type JsonWriter, LineBuffer, readLine } from "./chain.ts";
import { writeCheckpoint } from "./checkpoint.ts";
import type { Disk } from "./disk.ts";
import { HeadFile } from "./head-file.ts";
import {
	type Beside,
	type EndTrouble,
	endOf,
	findTrouble,
	readBeside,
	type SegmentEnd,
	tailOf,
} from "./log-end.ts";
import {
	checkpoint_name,
	head_name,
	linesOf,
	listSegments,
	type Segment,
	segmentName,
} from "./segments.ts";
import type { Signer } from "./signing-key.ts";

/** What a writer writes with. */
export interface ChainWriterOptions {
	/** The audit folder, made where it is not there. */
	readonly folder: string;
	readonly disk: Disk;
	readonly signer: Signer;
	/** Wall-clock milliseconds. */
	readonly now: () => number;
	/** A segment that has grown past this is followed by the next. */
	readonly segment_bytes_max: number;
}

/**
 * Logs of this format have a head file and signed keys, and name the keys that are destroyed, from
 * the start, or since this was told.
 */
const log_format = 4;

/**
 * Zeroes are written ahead of the log in steps of so many. To write over what is there takes the
 * disk half as long as to make a file longer, which changes the file system's own tables too.
 */
const zeroes = Buffer.alloc(256 * 1024);

/** The end of the last segment: its last whole entry, what stands behind it, and its length. */
interface FoundEnd extends SegmentEnd {
	readonly torn: Buffer;
	readonly size: number;
}

/**
 * Appends entries to the log of one folder, whose only writer it is. What `append` returned for is
 * on the disk. An append that fails throws, and leaves the log as it was before it.
 */
export class ChainWriter {
	readonly #options: ChainWriterOptions;
	readonly #lines = new LineBuffer();
	#head: ChainHead = empty_head;
	#file: number | undefined;
	#length_bytes = 0;
	/** Where the zeroes end that were written ahead. */
	#room_end = 0;
	/** Whether the disk has none for zeroes: it is for entries then. */
	#is_tight = false;
	/** Undefined while it cannot be written. */
	#head_file: HeadFile | undefined;
	/** The entry the last checkpoint attests. */
	#attested = 0;

	/** Opens the log, after what an interrupted append left has been put aside. Throws on errors. */
	constructor(options: ChainWriterOptions) {
		this.#options = options;
		const { disk, folder } = options;
		disk.mkdir(folder);
		this.#recover();
	}

	get head(): ChainHead {
		return this.#head;
	}

	/** Whether there are entries that no checkpoint attests yet. */
	get is_unattested(): boolean {
		return this.#head.seq > this.#attested;
	}

	/**
	 * Appends entries, all or none of them. `build` is told the number of the first and gives
	 * them as JSON objects without line breaks.
	 */
	append(build: (first_seq: number) => Iterable<string | JsonWriter>): ChainHead {
		const { disk, segment_bytes_max } = this.#options;
		if (this.#file === undefined) this.#recover();
		if (this.#length_bytes > segment_bytes_max) this.#openSegment();
		const lines = this.#lines;
		lines.begin(this.#head);
		for (const json of build(this.#head.seq + 1)) lines.add(json);
		const { bytes, head } = lines;
		const file = this.#file as number;
		try {
			disk.writeAt(file, bytes, this.#length_bytes);
			this.#makeRoom(file, this.#length_bytes + bytes.length);
			disk.sync(file);
		} catch (error) {
			this.#undo();
			throw error;
		}
		this.#length_bytes += bytes.length;
		this.#head = head;
		this.#signHead();
		return head;
	}

	/** Signs where the log stands, within it and in a file beside it. Throws on errors. */
	checkpoint(): void {
		const { disk, folder, signer, now } = this.#options;
		this.append((seq) => {
			const note = writeCheckpoint({ ...this.#head, at_ms: now() }, signer);
			return [JSON.stringify({ kind: "checkpoint", at_ms: now(), attests: seq - 1, note })];
		});
		const note = writeCheckpoint({ ...this.#head, at_ms: now() }, signer);
		disk.replace(join(folder, checkpoint_name), note);
		this.#attested = this.#head.seq;
	}

	/** Takes the oldest segments away, up to the one in which `keep_seq` is; says so in the log. */
	prune(keep_seq: number): number {
		const { disk, folder, now } = this.#options;
		const segments = listSegments(folder, disk);
		const keep = segments.findLastIndex(({ first_seq }) => first_seq <= keep_seq);
		const first = segments[keep];
		if (first === undefined || keep === 0) return 0;
		const bytes = disk.read(first.path);
		const [line] = linesOf(bytes);
		const begin =
			line === undefined ? undefined : readLine(bytes.toString("utf8", line.start, line.end));
		if (begin === undefined) return 0;
		const { seq: first_seq, prev } = begin;
		// Said and signed before it is done: a log that begins later is otherwise a broken one.
		const pruned = { kind: "pruned", format: log_format, at_ms: now(), first_seq, prev };
		this.append(() => [JSON.stringify(pruned)]);
		this.checkpoint();
		for (const segment of segments.slice(0, keep)) disk.remove(segment.path);
		disk.syncFolder(folder);
		return keep;
	}

	/** Signs and closes. Errors of the disk are swallowed: there is nothing left to do. */
	close(): void {
		try {
			if (this.is_unattested) this.checkpoint();
		} catch {
			// The next start finds the log as it is.
		}
		this.#closeHeadFile();
		if (this.#file === undefined) return;
		try {
			this.#seal(this.#file);
		} catch {
			// The next start takes the zeroes for what they are.
		}
		this.#options.disk.close(this.#file);
		this.#file = undefined;
	}

	/** Writes zeroes ahead where the log has come to their end, if the disk has room for them. */
	#makeRoom(file: number, end: number): void {
		if (end <= this.#room_end) return;
		const { disk, segment_bytes_max } = this.#options;
		const room_end = Math.min(end + zeroes.length, segment_bytes_max);
		this.#room_end = end;
		if (room_end <= end || this.#is_tight) return;
		try {
			disk.writeAt(file, zeroes.subarray(0, room_end - end), end);
			this.#room_end = room_end;
		} catch {
			this.#is_tight = true;
			this.#giveBack(file, end);
		}
	}

	/** Takes away what was written of the zeroes: the last room of a disk is not theirs. */
	#giveBack(file: number, end: number): void {
		try {
			this.#options.disk.truncate(file, end);
		} catch {
			// They are written over, or taken away once the segment is full.
		}
	}

	/** Takes the zeroes away at the end of a segment that gets no more entries. */
	#seal(file: number): void {
		const { disk } = this.#options;
		if (this.#room_end <= this.#length_bytes && !this.#is_tight) return;
		disk.truncate(file, this.#length_bytes);
		disk.sync(file);
		this.#room_end = this.#length_bytes;
	}

	/**
	 * Signs which entry is the last, once it is on the disk. Where that cannot be written the
	 * entries are kept all the same, and it is tried again with the next.
	 */
	#signHead(): void {
		try {
			if (this.#head_file === undefined) {
				this.#head_file = new HeadFile(this.#options, this.#head);
			} else {
				this.#head_file.write(this.#head);
			}
		} catch {
			// The head lags behind the log.
		}
	}

	#closeHeadFile(): void {
		try {
			this.#head_file?.close();
		} catch {
			// The head lags behind the log.
		}
		this.#head_file = undefined;
	}

	#openSegment(): void {
		const { disk, folder } = this.#options;
		const full = this.#file;
		// On the disk before there is another: only the last segment may have zeroes.
		if (full !== undefined) this.#seal(full);
		this.#file = disk.openInPlace(join(folder, segmentName(this.#head.seq + 1)));
		this.#length_bytes = 0;
		this.#room_end = 0;
		this.#is_tight = false;
		if (full !== undefined) disk.close(full);
		disk.syncFolder(folder);
	}

	/** Back to what was there before a write that failed. */
	#undo(): void {
		const { disk } = this.#options;
		const file = this.#file as number;
		try {
			disk.truncate(file, this.#length_bytes);
			this.#room_end = this.#length_bytes;
		} catch {
			// What stands in the file now is found out when it is opened again.
			this.#file = undefined;
			try {
				disk.close(file);
			} catch {
				// It is not used again in any case.
			}
		}
	}

	/** Goes on where the log ends, and says in the log what is wrong there. */
	#recover(): void {
		const { disk, folder, signer } = this.#options;
		this.#closeHeadFile();
		const segments = listSegments(folder, disk);
		const last = segments.at(-1);
		if (last === undefined) this.#signNothing();
		const beside = readBeside(folder, disk, signer.verifier);
		const end = last && this.#endOf(last, beside);
		this.#head = end?.head ?? this.#headBefore(segments);
		const trouble = findTrouble(folder, this.#head, beside, disk);
		this.#attested = Math.min(beside.checkpoint?.seq ?? 0, this.#head.seq);
		if (last === undefined || end === undefined) this.#openSegment();
		else this.#openLast(last, end);
		this.#tellStart(end?.torn.length ?? 0, trouble);
		// From here on a log without a checkpoint is one that lost it.
		if (last === undefined || trouble.checkpoint !== undefined) this.checkpoint();
	}

	/**
	 * Signs that there is no entry yet, ahead of the first one: so there is no moment in which a log
	 * has neither checkpoint nor head. What is there already may tell of entries that are gone.
	 */
	#signNothing(): void {
		const { disk, folder, signer, now } = this.#options;
		const path = join(folder, checkpoint_name);
		if (disk.readIfThere(path) === undefined) {
			disk.replace(path, writeCheckpoint({ ...empty_head, at_ms: now() }, signer));
		}
		if (disk.readIfThere(join(folder, head_name)) === undefined) {
			this.#head_file = new HeadFile(this.#options, empty_head);
		}
	}

	#endOf({ path, first_seq }: Segment, { latest }: Beside): FoundEnd {
		const bytes = this.#options.disk.read(path);
		const { lines_end, used_end } = tailOf(bytes, first_seq, latest?.seq ?? 0);
		const end = endOf(bytes.subarray(0, lines_end));
		return { ...end, torn: bytes.subarray(end.length_bytes, used_end), size: bytes.length };
	}

	/** Opens the last segment behind its last whole entry; puts aside what stands behind that. */
	#openLast({ path }: Segment, { length_bytes, torn, size }: FoundEnd): void {
		const { disk, folder, now } = this.#options;
		if (torn.length > 0) {
			disk.replace(join(folder, `torn-${now()}-${this.#head.seq + 1}`), torn);
		}
		this.#file = disk.openInPlace(path);
		if (torn.length > 0) disk.truncate(this.#file, length_bytes);
		this.#length_bytes = length_bytes;
		this.#room_end = torn.length > 0 ? length_bytes : size;
		this.#is_tight = false;
	}

	/** The head of the segments before the last one, which has no whole entry. */
	#headBefore(segments: readonly Segment[]): ChainHead {
		for (const { path } of segments.slice(0, -1).reverse()) {
			const { head } = endOf(this.#options.disk.read(path));
			if (head !== undefined) return head;
		}
		return empty_head;
	}

	/** Told before the files beside the log are written anew, so that it is never forgotten. */
	#tellStart(torn_bytes: number, trouble: EndTrouble): void {
		const { signer, now } = this.#options;
		const entry = {
			kind: "start",
			format: log_format,
			at_ms: now(),
			...(torn_bytes === 0 ? {} : { torn_bytes }),
			...trouble,
			key: signer.verifier.public_key,
		};
		this.append(() => [JSON.stringify(entry)]);
	}
}
