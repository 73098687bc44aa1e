import {
	constants,
	copyFile,
	mkdir,
	open,
	readFile,
	realpath,
	rename,
	rm,
	stat,
} from "node:fs/promises";
import { dirname, join } from "node:path";
import { fail, type Result, succeed } from "../../lib/result.ts";

/** A client's configuration file as it was read. */
export interface ClientFile {
	/** Where it really is, behind symbolic links. */
	readonly path: string;
	readonly exists: boolean;
	/** Without a byte order mark. */
	readonly text: string;
	readonly has_mark: boolean;
	/** As it is on disk, to notice that somebody else has written it in between. */
	readonly bytes: Buffer;
	readonly mode: number;
}

/** Larger than any client's configuration. */
const file_bytes_max = 32 * 1024 * 1024;
/** New files are for their owner only: clients keep credentials in them. */
const new_file_mode = 0o600;
const byte_order_mark = "\ufeff";

/** Reads a client's file; one that is not there is an empty one. */
export async function readClientFile(path: string): Promise<Result<ClientFile, string>> {
	try {
		const real = await realpath(path);
		const { size, mode } = await stat(real);
		if (size > file_bytes_max) return fail(`${path} is too large to be a configuration.`);
		const bytes = await readFile(real);
		// The mark is kept in the text here and taken off below.
		const decoded = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
		const has_mark = decoded.startsWith(byte_order_mark);
		const text = has_mark ? decoded.slice(1) : decoded;
		return succeed({ path: real, exists: true, text, has_mark, bytes, mode: mode & 0o777 });
	} catch (error) {
		const { code, message } = error as NodeJS.ErrnoException;
		if (code === "ENOENT") return succeed(absent(path));
		if (code === "ERR_ENCODING_INVALID_ENCODED_DATA") return fail(`${path} is not UTF-8 text.`);
		return fail(`${path} cannot be read: ${message}.`);
	}
}

function absent(path: string): ClientFile {
	const bytes = Buffer.alloc(0);
	return { path, exists: false, text: "", has_mark: false, bytes, mode: new_file_mode };
}

/** What writing a client's file needs beside the text. */
export interface WriteOptions {
	/** Wall-clock milliseconds, for the name of the backup. */
	readonly now_ms: number;
	/** Makes names that nobody else uses. */
	readonly unique: string;
}

/**
 * Writes a client's file: first a copy of the old one beside it, then the new one whole, in the
 * place of the old. Somebody else's change since it was read is never overwritten.
 * @returns the path of the backup; undefined when there was nothing to back up
 */
export async function writeClientFile(
	file: ClientFile,
	text: string,
	options: WriteOptions,
): Promise<Result<string | undefined, string>> {
	const draft = join(dirname(file.path), `.moorage-${options.unique}.tmp`);
	try {
		await mkdir(dirname(file.path), { recursive: true, mode: 0o700 });
		const backup = file.exists ? await makeBackup(file, options.now_ms) : undefined;
		await writeWhole(draft, (file.has_mark ? byte_order_mark : "") + text, file.mode);
		if (!(await isUnchanged(file))) {
			return fail(`${file.path} was changed by another program meanwhile. Try again.`);
		}
		await rename(draft, file.path);
		return succeed(backup);
	} catch (error) {
		return fail(`${file.path} cannot be written: ${(error as Error).message}.`);
	} finally {
		await rm(draft, { force: true });
	}
}

async function makeBackup(file: ClientFile, now_ms: number): Promise<string> {
	const stamp = new Date(now_ms).toISOString().replaceAll(/[-:]|\.\d+/g, "");
	for (let attempt = 0; ; attempt += 1) {
		const suffix = attempt === 0 ? "" : `-${attempt}`;
		const path = `${file.path}.moorage-backup-${stamp}${suffix}`;
		try {
			await copyFile(file.path, path, constants.COPYFILE_EXCL);
			return path;
		} catch (error) {
			if ((error as NodeJS.ErrnoException).code !== "EEXIST" || attempt >= 99) throw error;
		}
	}
}

async function writeWhole(path: string, text: string, mode: number): Promise<void> {
	const handle = await open(path, "wx", mode);
	try {
		// The process's umask may have taken bits away that the old file had.
		await handle.chmod(mode);
		await handle.writeFile(text);
		await handle.sync();
	} finally {
		await handle.close();
	}
}

async function isUnchanged(file: ClientFile): Promise<boolean> {
	try {
		return (await readFile(file.path)).equals(file.bytes) && file.exists;
	} catch (error) {
		if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
		return !file.exists;
	}
}
