import { join } from "node:path";
import { type ChainHead, empty_head, isWhole, nextLine, readLine } from "./chain.ts";
import { type Checkpoint, readCheckpoint, writeCheckpoint } from "./checkpoint.ts";
import type { Disk } from "./disk.ts";
import { checkpoint_name, linesOf, listSegments, segmentName } from "./segments.ts";
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
 * Appends entries to the log of one folder, whose only writer it is. What `append` returned for is
 * on the disk. An append that fails throws, and leaves the log as it was before it.
 */
export class ChainWriter {
	readonly #options: ChainWriterOptions;
	#head: ChainHead = empty_head;
	#file: number | undefined;
	#length_bytes = 0;
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
	 * Appends entries, all or none of them. `build` is told the number of the first and returns
	 * them as JSON objects without line breaks.
	 */
	append(build: (first_seq: number) => readonly string[]): ChainHead {
		const { disk, segment_bytes_max } = this.#options;
		if (this.#file === undefined) this.#recover();
		if (this.#length_bytes > segment_bytes_max) this.#openSegment();
		let head = this.#head;
		const lines: string[] = [];
		for (const json of build(head.seq + 1)) {
			const next = nextLine(head, json);
			lines.push(next.line);
			head = next.head;
		}
		const bytes = Buffer.from(lines.join(""));
		const file = this.#file as number;
		try {
			disk.write(file, bytes);
			disk.sync(file);
		} catch (error) {
			this.#undo();
			throw error;
		}
		this.#length_bytes += bytes.length;
		this.#head = head;
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
		this.append(() => [JSON.stringify({ kind: "pruned", at_ms: now(), first_seq, prev })]);
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
		if (this.#file !== undefined) this.#options.disk.close(this.#file);
		this.#file = undefined;
	}

	#openSegment(): void {
		const { disk, folder } = this.#options;
		const full = this.#file;
		this.#file = disk.open(join(folder, segmentName(this.#head.seq + 1)));
		this.#length_bytes = 0;
		if (full !== undefined) disk.close(full);
		disk.syncFolder(folder);
	}

	/** Back to what was there before a write that failed. */
	#undo(): void {
		const { disk } = this.#options;
		const file = this.#file as number;
		try {
			disk.truncate(file, this.#length_bytes);
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

	/** Goes on where the log ends. What is behind the last whole entry is put aside, and told. */
	#recover(): void {
		const { disk, folder, signer, now } = this.#options;
		const segments = listSegments(folder, disk);
		const last = segments.at(-1);
		const note = disk.readIfThere(join(folder, checkpoint_name))?.toString("utf8");
		const attested = note === undefined ? undefined : readCheckpoint(note, signer.verifier);
		if (last === undefined) {
			this.#head = empty_head;
			this.#openSegment();
			this.#tell({ kind: "start", format: 1, at_ms: now(), ...lostBefore(attested, note, 0) });
			// From here on a log without a checkpoint is one that lost it.
			this.checkpoint();
			return;
		}
		const bytes = disk.read(last.path);
		const end = endOf(bytes);
		this.#head = end.head ?? this.#headBefore(segments.length - 1);
		this.#attested = Math.min(attested?.seq ?? 0, this.#head.seq);
		const torn = bytes.subarray(end.length_bytes);
		if (torn.length > 0) {
			disk.replace(join(folder, `torn-${now()}-${this.#head.seq + 1}`), torn);
		}
		this.#file = disk.open(last.path);
		if (torn.length > 0) disk.truncate(this.#file, end.length_bytes);
		this.#length_bytes = end.length_bytes;
		this.#tell({
			kind: "start",
			format: 1,
			at_ms: now(),
			...(torn.length === 0 ? {} : { torn_bytes: torn.length }),
			...lostBefore(attested, note, this.#head.seq),
		});
	}

	/** The head of the segments before one that has no whole entry. */
	#headBefore(index: number): ChainHead {
		const { disk, folder } = this.#options;
		for (const segment of listSegments(folder, disk).slice(0, index).reverse()) {
			const { head } = endOf(disk.read(segment.path));
			if (head !== undefined) return head;
		}
		return empty_head;
	}

	#tell(entry: object): void {
		const key = this.#options.signer.verifier.public_key;
		this.append(() => [JSON.stringify({ ...entry, key })]);
	}
}

/** Says in the log that a checkpoint attests more than is there. */
function lostBefore(attested: Checkpoint | undefined, note: string | undefined, seq: number) {
	return attested !== undefined && attested.seq > seq ? { attested: note } : {};
}

/** Where the last whole entry of a segment ends. */
function endOf(bytes: Buffer): { readonly head: ChainHead | undefined; length_bytes: number } {
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
