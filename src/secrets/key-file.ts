import { lstat, mkdir, readFile } from "node:fs/promises";
import { dirname } from "node:path";
import type { Random } from "../lib/random.ts";
import { fail, type Result, succeed } from "../lib/result.ts";
import { createWhole } from "./whole-file.ts";

/** Why a key cannot be used. */
export interface KeyFileProblem {
	readonly message: string;
	readonly next: string;
}

/** A key as base64url is far shorter than this. */
const file_bytes_max = 1024;
const others = 0o077;

/**
 * A random key in a file that only its owner can read, made on first use. Two processes that
 * start at once end up with the same key, because the file appears whole or not at all.
 */
export async function ensureKeyFile(
	path: string,
	key_bytes: number,
	random: Random,
): Promise<Result<Buffer, KeyFileProblem>> {
	try {
		await mkdir(dirname(path), { recursive: true, mode: 0o700 });
		const existing = await readKey(path, key_bytes);
		if (existing !== undefined) return existing;
		const text = random.bytes(key_bytes).toString("base64url");
		await createWhole(path, `${path}.${random.uuid()}.new`, `${text}\n`);
		return (await readKey(path, key_bytes)) ?? fail(damaged(path));
	} catch (error) {
		return fail(unusable(path, error));
	}
}

/** The key in a file as it is; undefined where there is none. */
export async function readKeyFile(
	path: string,
	key_bytes: number,
): Promise<Result<Buffer, KeyFileProblem> | undefined> {
	try {
		return await readKey(path, key_bytes);
	} catch (error) {
		return fail(unusable(path, error));
	}
}

/** The key, why it is refused, or undefined where there is none. */
async function readKey(
	path: string,
	key_bytes: number,
): Promise<Result<Buffer, KeyFileProblem> | undefined> {
	const file = await lstat(path).catch((error: NodeJS.ErrnoException) => {
		if (error.code === "ENOENT") return undefined;
		throw error;
	});
	if (file === undefined) return undefined;
	if (!file.isFile() || file.size > file_bytes_max) return fail(damaged(path));
	// Windows has no modes; its profile folders are private by themselves.
	if (process.platform !== "win32" && (file.mode & others) !== 0) {
		return fail({
			message: `Other users of this machine can read the key at ${path}.`,
			next: `Run: chmod 600 ${path}`,
		});
	}
	const key = Buffer.from((await readFile(path, "utf8")).trim(), "base64url");
	return key.length === key_bytes ? succeed(key) : fail(damaged(path));
}

function unusable(path: string, error: unknown): KeyFileProblem {
	return {
		message: `The key at ${path} cannot be used: ${(error as Error).message}.`,
		next: "Make the folder readable and writable for the user who runs Moorage.",
	};
}

function damaged(path: string): KeyFileProblem {
	return {
		message: `${path} does not hold a key.`,
		next: "Restore it from a backup; what is sealed with it cannot be read without it.",
	};
}
