import { createHash } from "node:crypto";
import { constants, createReadStream } from "node:fs";
import { chmod, copyFile, lstat, mkdir, readdir, readlink, symlink } from "node:fs/promises";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import type { Entry } from "./manifest.ts";

/**
 * Copies a folder with everything in it, and tells what it copied. Where the file system can, a
 * copy shares its blocks with the original. What is neither file, folder nor link (a socket, a
 * pipe) means nothing without the program that made it and is left out.
 */
export async function copyTree(from: string, to: string, path: string): Promise<Entry[]> {
	const stat = await lstat(join(from, path));
	const mode = stat.mode & 0o7777;
	if (stat.isSymbolicLink()) {
		const target = await readlink(join(from, path));
		await symlink(target, join(to, path));
		return [{ kind: "link", path, target }];
	}
	if (stat.isFile()) return [await copyOne(from, to, path, mode)];
	if (!stat.isDirectory()) return [];
	await mkdir(join(to, path), { recursive: true, mode: 0o700 });
	const entries: Entry[] = [{ kind: "folder", path, mode }];
	for (const name of (await readdir(join(from, path))).sort()) {
		entries.push(...(await unlessGone(copyTree(from, to, `${path}/${name}`))));
	}
	// Last: one that may not be written to could not be filled.
	await chmod(join(to, path), mode);
	return entries;
}

/** What went away while the folder was copied, such as a draft, is no part of it. */
async function unlessGone(copying: Promise<Entry[]>): Promise<Entry[]> {
	try {
		return await copying;
	} catch (error) {
		if ((error as NodeJS.ErrnoException).code === "ENOENT") return [];
		throw error;
	}
}

/** Copies one file; its digest is that of the copy. */
export async function copyOne(
	from: string,
	to: string,
	path: string,
	mode: number,
): Promise<Extract<Entry, { kind: "file" }>> {
	const target = join(to, path);
	await copyFile(join(from, path), target, constants.COPYFILE_FICLONE);
	return await describeFile(to, path, mode);
}

/** What a manifest says of a file. */
export async function describeFile(
	folder: string,
	path: string,
	mode: number,
): Promise<Extract<Entry, { kind: "file" }>> {
	await chmod(join(folder, path), mode);
	const { bytes, sha256 } = await digestFile(join(folder, path));
	return { kind: "file", path, mode, bytes, sha256 };
}

/** Size and digest of a file. */
export async function digestFile(path: string): Promise<{ bytes: number; sha256: string }> {
	const hash = createHash("sha256");
	let bytes = 0;
	await pipeline(createReadStream(path), async (chunks) => {
		for await (const chunk of chunks) {
			bytes += (chunk as Buffer).length;
			hash.update(chunk as Buffer);
		}
	});
	return { bytes, sha256: hash.digest("hex") };
}
