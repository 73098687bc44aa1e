import { constants } from "node:fs";
import {
	chmod,
	copyFile,
	lstat,
	mkdir,
	readdir,
	readlink,
	symlink,
	utimes,
} from "node:fs/promises";
import { join } from "node:path";

/** Files that are copied at once: the system calls of one wait for those of the next. */
const files_at_once = 8;

/**
 * Copies what is in a folder into another, which is made. Where the file system can, files share
 * their blocks with the originals until either is written to. Modes, the times of files, and links
 * as they are written stay the same. What is neither file, folder nor link (a socket, a pipe) means
 * nothing without the program that made it and is left out. Rejects where anything else cannot be
 * copied.
 */
export async function copyFolder(from: string, to: string): Promise<void> {
	const { mode } = await lstat(from);
	await mkdir(to, { recursive: true, mode: 0o700 });
	const entries = await readdir(from, { withFileTypes: true });
	const files = entries.filter((entry) => entry.isFile()).values();
	const worker = async () => {
		// One iterator for all workers: each file is taken once.
		for (const { name } of files) await copyOne(join(from, name), join(to, name));
	};
	await Promise.all(Array.from({ length: files_at_once }, worker));
	for (const entry of entries) {
		const [source, target] = [join(from, entry.name), join(to, entry.name)];
		if (entry.isDirectory()) await copyFolder(source, target);
		else if (entry.isSymbolicLink()) await symlink(await readlink(source), target);
	}
	// Last: one that may not be written to could not be filled.
	await chmod(to, mode & 0o7777);
}

/** Takes over the mode, too. */
async function copyOne(source: string, target: string): Promise<void> {
	await copyFile(source, target, constants.COPYFILE_FICLONE);
	const { atime, mtime } = await lstat(source);
	await utimes(target, atime, mtime);
}
