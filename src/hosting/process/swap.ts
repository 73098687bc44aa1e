import { readGroupFile } from "./groups/files.ts";

/** With less than this free, paging out would only push out somebody else's pages. */
const free_bytes_min = 16 * 1024 ** 2;
const kibibyte = 1024;

/** Where pages can go: files, partitions, or compressed memory. */
export interface Swap {
	readonly total_bytes: number;
	readonly free_bytes: number;
	/** True where all of it is compressed memory (zram): fast, and less is won. */
	readonly is_compressed_memory: boolean;
}

/** The swap space of this machine; undefined where there is none, or it is not told. */
export function readSwap(): Swap | undefined {
	return parseSwaps(readGroupFile("/proc/swaps") ?? "");
}

/** Whether there is enough swap space to be worth trying. */
export function isUsable(swap: Swap | undefined): boolean {
	return swap !== undefined && swap.free_bytes >= free_bytes_min;
}

/** Parses `/proc/swaps`; see proc_swaps(5). Sizes are in KiB. */
export function parseSwaps(text: string): Swap | undefined {
	const rows = text.split("\n").flatMap((line) => {
		// The name comes first and may hold nothing but escaped spaces.
		const match = /^(\/\S*)\s+\S+\s+(\d+)\s+(\d+)\s+-?\d+\s*$/u.exec(line);
		return match === null
			? []
			: [{ name: match[1] ?? "", total: Number(match[2]), used: Number(match[3]) }];
	});
	if (rows.length === 0) {
		return undefined;
	}
	const total = rows.reduce((sum, row) => sum + row.total, 0);
	const used = rows.reduce((sum, row) => sum + row.used, 0);
	return {
		total_bytes: total * kibibyte,
		free_bytes: Math.max(0, total - used) * kibibyte,
		is_compressed_memory: rows.every(({ name }) => /^\/dev\/zram\d+$/u.test(name)),
	};
}
