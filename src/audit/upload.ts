import { join } from "node:path";
import type { Disk } from "./disk.ts";
import { tailOf } from "./log-end.ts";
import type { ObjectLock, S3Bucket } from "./s3-bucket.ts";
import { checkpoint_name, head_name, linesOf, listSegments } from "./segments.ts";

/** What an upload did. */
export interface Uploaded {
	/** Keys of the objects that were written. */
	readonly written: readonly string[];
	/** How many segments were there already. */
	readonly skipped: number;
	readonly bytes: number;
}

/**
 * Copies the log to a bucket as it is: segment by segment, payloads sealed, and with it the last
 * checkpoint and the head. What is there already is left out; a segment that has grown gets a name
 * of its own for each length, because what is locked cannot be replaced. Rejects with what the
 * store said.
 */
export async function uploadLog(
	folder: string,
	prefix: string,
	parts: { readonly disk: Disk; readonly bucket: S3Bucket; readonly lock: ObjectLock | undefined },
): Promise<Uploaded> {
	const { disk, bucket, lock } = parts;
	const written: string[] = [];
	let skipped = 0;
	let bytes = 0;
	const put = async (name: string, body: Buffer) => {
		const key = prefix === "" ? name : `${prefix}/${name}`;
		if (await bucket.has(key, body.length)) {
			skipped += 1;
			return;
		}
		await bucket.put(key, body, lock);
		written.push(key);
		bytes += body.length;
	};
	// Before the segments, so that they attest nothing that is not among them.
	const checkpoint = disk.readIfThere(join(folder, checkpoint_name));
	const head = disk.readIfThere(join(folder, head_name));
	const segments = listSegments(folder, disk);
	const attested_seq = Math.max(
		...[checkpoint, ...slotsOf(head)].map((note) => Number(seqOf(note))),
	);
	for (const [index, { name, path, first_seq }] of segments.entries()) {
		const is_last = index === segments.length - 1;
		const bytes = disk.read(path);
		const lines = is_last
			? bytes.subarray(0, tailOf(bytes, first_seq, attested_seq).lines_end)
			: bytes;
		const whole = wholeLines(lines);
		if (whole.length === 0) continue;
		await put(is_last ? name.replace(".log", `-${whole.length}.log`) : name, whole);
	}
	if (checkpoint !== undefined) await put(`checkpoint-${seqOf(checkpoint)}`, checkpoint);
	if (head !== undefined) await put(`head-${slotsOf(head).map(seqOf).sort().at(-1)}`, head);
	return { written, skipped, bytes };
}

/** The two signed notes of a head. */
function slotsOf(head: Buffer | undefined): Buffer[] {
	if (head === undefined) return [];
	return [head.subarray(0, head.length >> 1), head.subarray(head.length >> 1)];
}

/** The number in a signed note, such that names with it are in its order. */
function seqOf(note: Buffer | undefined): string {
	// One that was altered is copied too, as what it is.
	const seq = /^moorage-audit\n(\d{1,16})\n/.exec(note?.toString("latin1") ?? "")?.[1] ?? "0";
	return seq.padStart(12, "0");
}

/** A segment without an append that is still being written. */
function wholeLines(bytes: Buffer): Buffer {
	let end = 0;
	for (const line of linesOf(bytes)) {
		if (!line.torn) end = line.end + 1;
	}
	return bytes.subarray(0, end);
}
