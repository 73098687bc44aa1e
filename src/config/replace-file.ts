import { chown, type FileHandle, open, realpath, rename, rm, stat } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { systemRandom } from "../lib/random.ts";

/** What a file was when it was read, to notice that somebody else has changed it since. */
export interface FileState {
	/** The file itself where `path` was a link. */
	readonly path: string;
	readonly mode: number;
	readonly uid: number;
	readonly gid: number;
	readonly version: string;
}

/** Looks at a file; undefined when there is none. Other errors are thrown. */
export async function fileState(path: string): Promise<FileState | undefined> {
	try {
		const real = await realpath(path);
		const found = await stat(real, { bigint: true });
		return {
			path: real,
			mode: Number(found.mode) & 0o777,
			uid: Number(found.uid),
			gid: Number(found.gid),
			version: [found.ino, found.size, found.mtimeNs].join(":"),
		};
	} catch (error) {
		if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
		throw error;
	}
}

/**
 * Replaces a file's content in one step: written beside it, flushed, then renamed onto it, so
 * that a reader or a crash sees the old text or the new one and never half of it. Mode and
 * owner are kept; a link stays a link. Returns false, with nothing changed, when the file is
 * not what it was at `before` any more.
 */
export async function replaceFile(
	path: string,
	text: string,
	before: FileState | undefined,
): Promise<boolean> {
	const target = before?.path ?? path;
	const suffix = systemRandom.bytes(6).toString("hex");
	const temporary = join(dirname(target), `.${basename(target)}.${suffix}.tmp`);
	let file: FileHandle | undefined;
	try {
		file = await open(temporary, "wx", before?.mode ?? 0o644);
		if (before !== undefined) await file.chmod(before.mode);
		await file.writeFile(text);
		await file.sync();
		await file.close();
		file = undefined;
		if (before !== undefined) await keepOwner(temporary, before);
		if ((await fileState(path))?.version !== before?.version) return false;
		await rename(temporary, target);
		return true;
	} finally {
		await file?.close();
		await rm(temporary, { force: true });
	}
}

/** Only root can give a file away; for everybody else the owner is the same already. */
async function keepOwner(path: string, before: FileState): Promise<void> {
	const found = await stat(path);
	if (found.uid === before.uid && found.gid === before.gid) return;
	await chown(path, before.uid, before.gid).catch(() => undefined);
}
