import type { Dirent, Stats } from "node:fs";
import { chmod, lstat, readdir, stat } from "node:fs/promises";
import { dirname, join } from "node:path";

/** Files and folders looked at in one go; with more, the rest does not count. */
const entries_max = 200_000;
/** How deep folders are followed. */
const depth_max = 256;
/** Unit in which a file tells the space it takes. */
const block_bytes = 512;

/** What folders take on disk, and what was not seen of it. */
export interface DiskUsage {
	readonly bytes: number;
	/** False where there is more than is looked at or may be seen: the bytes are a lower bound. */
	readonly complete: boolean;
}

/**
 * The space that folders and everything in them take: blocks, not lengths, so that holes cost
 * nothing. A file with several names counts once. Links are not followed, other file systems not
 * entered. Folders of our own user that were closed to it are opened to it again: a program that
 * runs as the same user could hide in them what it writes. Stops early once `enough_bytes` are
 * found.
 */
export async function diskUsage(
	folders: readonly string[],
	enough_bytes = Number.POSITIVE_INFINITY,
): Promise<DiskUsage> {
	const walk = new Walk(enough_bytes);
	for (const folder of folders) {
		const info = await quietly(lstat(folder));
		if (info !== undefined) {
			walk.count(info);
			await walk.enter(folder, info.dev);
		}
	}
	return { bytes: walk.bytes, complete: walk.complete };
}

class Walk {
	bytes = 0;
	complete = true;
	readonly #enough_bytes: number;
	readonly #seen = new Set<string>();
	#entries = 0;

	constructor(enough_bytes: number) {
		this.#enough_bytes = enough_bytes;
	}

	count(info: Stats): void {
		if (info.nlink > 1 && !info.isDirectory()) {
			const key = `${info.dev}/${info.ino}`;
			if (this.#seen.has(key)) {
				return;
			}
			this.#seen.add(key);
		}
		this.bytes += info.blocks * block_bytes;
	}

	async enter(top: string, device: number): Promise<void> {
		const waiting: { path: string; depth: number }[] = [{ path: top, depth: 0 }];
		for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
			const { path, depth } = next;
			for (const entry of await this.#list(path)) {
				if (this.bytes > this.#enough_bytes) {
					return;
				}
				this.#entries += 1;
				if (this.#entries > entries_max) {
					this.complete = false;
					return;
				}
				const below = join(path, entry.name);
				if (await this.#countEntry(below, entry, device)) {
					if (depth < depth_max) {
						waiting.push({ path: below, depth: depth + 1 });
					} else {
						this.complete = false;
					}
				}
			}
		}
	}

	async #list(path: string): Promise<readonly Dirent[]> {
		const list = () => readdir(path, { withFileTypes: true });
		return (await this.#seeing(list, path)) ?? [];
	}

	/** What is in a folder, which is opened first where need be; what may not be seen is noted. */
	async #seeing<Value>(look: () => Promise<Value>, folder: string): Promise<Value | undefined> {
		try {
			return await look();
		} catch (error) {
			if (!isClosed(error)) return undefined;
		}
		const again = (await openUp(folder)) ? await quietly(look()) : undefined;
		if (again === undefined) this.complete = false;
		return again;
	}

	/** Counts one entry; true for a folder to enter. */
	async #countEntry(path: string, entry: Dirent, device: number): Promise<boolean> {
		const info = await this.#seeing(() => lstat(path), dirname(path));
		if (info === undefined || info.dev !== device) {
			return false;
		}
		this.count(info);
		return entry.isDirectory();
	}
}

/**
 * The space of files that processes still have open although they have no name any more, on the
 * file systems of these folders. Linux; processes that may not be looked into count as nothing.
 */
export async function unnamedUsage(
	pids: readonly number[],
	folders: readonly string[],
): Promise<number> {
	const infos = await Promise.all(folders.map((folder) => quietly(lstat(folder))));
	const devices = new Set(infos.map((info) => info?.dev));
	const seen = new Set<string>();
	let bytes = 0;
	for (const pid of pids) {
		const handles = `/proc/${pid}/fd`;
		for (const name of (await quietly(readdir(handles))) ?? []) {
			const info = await quietly(stat(join(handles, name)));
			if (info?.isFile() && info.nlink === 0 && devices.has(info.dev)) {
				const key = `${info.dev}/${info.ino}`;
				bytes += seen.has(key) ? 0 : info.blocks * block_bytes;
				seen.add(key);
			}
		}
	}
	return bytes;
}

/** Lets our user into a folder of its own again; adds nothing for anybody else. */
async function openUp(folder: string): Promise<boolean> {
	const info = await quietly(lstat(folder));
	if (info?.isDirectory() !== true || info.uid !== process.geteuid?.()) return false;
	const mode = (info.mode & 0o7777) | 0o500;
	return (await quietly(chmod(folder, mode).then(() => true))) === true;
}

function isClosed(error: unknown): boolean {
	const code = error instanceof Error && "code" in error ? error.code : undefined;
	return code === "EACCES" || code === "EPERM";
}

/** What is not there any more, or may not be seen, is no reason to stop. */
async function quietly<Value>(value: Promise<Value>): Promise<Value | undefined> {
	try {
		return await value;
	} catch {
		return undefined;
	}
}
