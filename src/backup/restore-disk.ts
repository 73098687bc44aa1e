import { mkdir, open, readdir, readFile, rename, rm } from "node:fs/promises";
import { dirname } from "node:path";

/**
 * What putting a backup in its place does to a disk, so that a test can end it at any step.
 * Errors of the system reject.
 */
export interface RestoreDisk {
	/** The names in a folder; none where there is no folder. */
	names(folder: string): Promise<string[]>;
	/** For its owner alone. */
	makeFolder(path: string): Promise<void>;
	rename(from: string, to: string): Promise<void>;
	/** With everything in it; nothing where it is not there. */
	remove(path: string): Promise<void>;
	/** Undefined where there is no such file. */
	read(path: string): Promise<string | undefined>;
	/** Writes a file whole in the place of another; on the disk when it resolves. */
	replace(path: string, text: string): Promise<void>;
	/** Puts a file, or the names of a folder, onto the disk. */
	sync(path: string): Promise<void>;
}

/** The machine's own disk. */
export const system_restore_disk: RestoreDisk = {
	names: (folder) => unlessMissing(readdir(folder), []),
	makeFolder: (path) => mkdir(path, { mode: 0o700 }),
	rename: (from, to) => rename(from, to),
	remove: (path) => rm(path, { recursive: true, force: true }),
	read: (path) => unlessMissing(readFile(path, "utf8"), undefined),
	async replace(path, text) {
		const draft = `${path}.new`;
		await rm(draft, { force: true });
		const file = await open(draft, "wx", 0o600);
		try {
			await file.writeFile(text);
			await file.sync();
		} finally {
			await file.close();
		}
		await rename(draft, path);
		await system_restore_disk.sync(dirname(path));
	},
	async sync(path) {
		// Windows opens no folders, and puts nothing on the disk that is open for reading only.
		if (process.platform === "win32") return;
		const file = await open(path, "r");
		try {
			await file.sync();
		} finally {
			await file.close();
		}
	},
};

async function unlessMissing<Value>(reading: Promise<Value>, otherwise: Value): Promise<Value> {
	try {
		return await reading;
	} catch (error) {
		if ((error as NodeJS.ErrnoException).code === "ENOENT") return otherwise;
		throw error;
	}
}
