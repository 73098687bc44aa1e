import { link, open, unlink } from "node:fs/promises";
import { dirname } from "node:path";

/**
 * Writes a file that others see either whole or not at all, and leaves an existing one alone. It is
 * there after a loss of power, too, once this is done: what is sealed with a key comes after it.
 */
export async function createWhole(
	path: string,
	draft: string,
	text: string,
	sync: (folder: string) => Promise<void> = syncFolder,
): Promise<void> {
	const file = await open(draft, "wx", 0o600);
	try {
		await file.chmod(0o600);
		await file.writeFile(text);
		await file.sync();
	} finally {
		await file.close();
	}
	try {
		await link(draft, path);
	} catch (error) {
		if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
	} finally {
		await unlink(draft);
	}
	await sync(dirname(path));
}

/** Has the names of a folder's files written to the disk; Windows does that by itself. */
export async function syncFolder(folder: string): Promise<void> {
	if (process.platform === "win32") return;
	const handle = await open(folder, "r");
	try {
		await handle.sync();
	} finally {
		await handle.close();
	}
}
