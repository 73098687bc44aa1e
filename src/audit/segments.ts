import { join } from "node:path";
import type { Disk } from "./disk.ts";

/** One file of the log: its entries from `first_seq` on, up to where the next one begins. */
export interface Segment {
	readonly path: string;
	readonly name: string;
	readonly first_seq: number;
}

/**
 * The file in the audit folder that has the latest checkpoint. It comes first of all names: whoever
 * copies the folder while it is written to copies a checkpoint older than the log.
 */
export const checkpoint_name = "0-checkpoint";

/** The file in the audit folder that says which entry is the last; before all segments, too. */
export const head_name = "0-head";

const segment_form = /^(\d{12})[.]log$/;

/** The name of the segment that begins with an entry. */
export function segmentName(first_seq: number): string {
	return `${String(first_seq).padStart(12, "0")}.log`;
}

/** All segments of a folder in their order. A folder that is not there has none. */
export function listSegments(folder: string, disk: Disk): Segment[] {
	let names: string[];
	try {
		names = disk.list(folder);
	} catch (error) {
		if ((error as NodeJS.ErrnoException).code === "ENOENT") return [];
		throw error;
	}
	return names
		.filter((name) => segment_form.test(name))
		.sort()
		.map((name) => ({ path: join(folder, name), name, first_seq: Number(name.slice(0, 12)) }));
}

/** The lines of a segment as byte ranges, newline left out; the last is torn where it has none. */
export function* linesOf(bytes: Buffer): Generator<{ start: number; end: number; torn: boolean }> {
	let start = 0;
	while (start < bytes.length) {
		const end = bytes.indexOf(0x0a, start);
		if (end < 0) {
			yield { start, end: bytes.length, torn: true };
			return;
		}
		yield { start, end, torn: false };
		start = end + 1;
	}
}

const at_form = /"at_ms":(\d{1,16})/;

/** When the first entry of a segment was written; 0 where that cannot be told. */
export function firstAt(segment: Segment, disk: Disk): number {
	const found = at_form.exec(disk.readStart(segment.path, 512).toString("latin1"));
	return Number(found?.[1] ?? 0);
}
