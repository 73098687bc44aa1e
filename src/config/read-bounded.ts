import { type FileHandle, open } from "node:fs/promises";
import type { Result } from "../lib/result.ts";
import { fail, succeed } from "../lib/result.ts";

const reasons: Readonly<Record<string, string>> = {
	ENOENT: "does not exist",
	ENOTDIR: "does not exist",
	EISDIR: "is a folder",
	EACCES: "may not be read by this user",
	EPERM: "may not be read by this user",
	ELOOP: "is a link that leads nowhere",
};

/** Why a file could not be read, as the end of a sentence: "does not exist". */
export function readReason(error: unknown): string {
	const code = (error as NodeJS.ErrnoException).code ?? "";
	return reasons[code] ?? `could not be read (${code === "" ? "unknown error" : code})`;
}

/**
 * The text of a file of at most `bytes_max` bytes, without a byte order mark. The problem is
 * the end of a sentence about the file.
 */
export async function readBounded(
	path: string,
	bytes_max: number,
): Promise<Result<string, string>> {
	let file: FileHandle | undefined;
	try {
		file = await open(path, "r");
		const bytes = await readAtMost(file, bytes_max + 1);
		if (bytes.length > bytes_max) return fail(tooLarge(bytes_max));
		// The decoder drops a byte order mark by itself.
		return succeed(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
	} catch (error) {
		if (error instanceof TypeError) return fail("is not UTF-8 text");
		return fail(readReason(error));
	} finally {
		await file?.close();
	}
}

/** The text that a file would have, if the file could be read. */
export function bounded(text: string, bytes_max: number): Result<string, string> {
	return Buffer.byteLength(text) > bytes_max ? fail(tooLarge(bytes_max)) : succeed(text);
}

function tooLarge(bytes_max: number): string {
	return `is larger than ${bytes_max} bytes`;
}

/** Reads without trusting the size the file system tells, which is 0 for a pipe. */
async function readAtMost(file: FileHandle, bytes_max: number): Promise<Buffer> {
	const chunks: Buffer[] = [];
	let total = 0;
	while (total < bytes_max) {
		const chunk = Buffer.alloc(Math.min(64 * 1024, bytes_max - total));
		const { bytesRead } = await file.read(chunk, 0, chunk.length, null);
		if (bytesRead === 0) break;
		chunks.push(chunk.subarray(0, bytesRead));
		total += bytesRead;
	}
	return Buffer.concat(chunks);
}
