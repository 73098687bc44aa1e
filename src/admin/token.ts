import { chmod, lstat, mkdir, readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { Random } from "../lib/random.ts";
import { fail, type Result, succeed } from "../lib/result.ts";
import { createWhole } from "../secrets/whole-file.ts";

/** Why the admin token cannot be used. */
export interface TokenProblem {
	/** `missing`: nothing was ever started with this data folder. */
	readonly kind: "missing" | "loose" | "damaged" | "unreadable";
	readonly message: string;
	readonly next: string;
}

const token_bytes = 32;
const token_prefix = "moorage_admin_";
const token_pattern = /^moorage_admin_[A-Za-z0-9_-]{43}$/;
/** A token file is one short line; anything longer is not one. */
const token_file_bytes_max = 256;
const others = 0o077;

/** Where the admin token of a data folder is. */
export function adminTokenPath(data: string): string {
	return join(data, "keys", "admin-token");
}

/**
 * The admin token of a data folder, made on first use: 256 random bits in a file only its
 * owner can read, in a folder only its owner can enter. Two processes that start at once end
 * up with the same token, because the file appears whole or not at all.
 */
export async function ensureAdminToken(
	data: string,
	random: Random,
): Promise<Result<string, TokenProblem>> {
	const existing = await readAdminToken(data);
	if (existing.ok || existing.problem.kind !== "missing") return existing;
	const path = adminTokenPath(data);
	try {
		// Only a folder made here gets its mode: one that was wider is refused below, by name.
		const made = await mkdir(dirname(path), { recursive: true, mode: 0o700 });
		if (made !== undefined) await chmod(dirname(path), 0o700);
		const token = `${token_prefix}${random.bytes(token_bytes).toString("base64url")}`;
		await createWhole(path, `${path}.${random.uuid()}.new`, `${token}\n`);
	} catch (error) {
		return fail(unreadable(path, error));
	}
	return readAdminToken(data);
}

/**
 * Reads the admin token of a data folder. A file that others could read is refused, because
 * whoever has the token can run programs as this user.
 */
export async function readAdminToken(data: string): Promise<Result<string, TokenProblem>> {
	const path = adminTokenPath(data);
	try {
		const folder = await lstat(dirname(path));
		const file = await lstat(path);
		if (!file.isFile() || file.size > token_file_bytes_max) return fail(damaged(path));
		// Windows has no modes; its profile folders are private by themselves.
		if (process.platform !== "win32") {
			if ((folder.mode & others) !== 0) return fail(loose(dirname(path), "700"));
			if ((file.mode & others) !== 0) return fail(loose(path, "600"));
		}
		const token = (await readFile(path, "utf8")).trim();
		return token_pattern.test(token) ? succeed(token) : fail(damaged(path));
	} catch (error) {
		return fail(unreadable(path, error));
	}
}

function loose(path: string, mode: string): TokenProblem {
	return {
		kind: "loose",
		message: `Other users of this machine can read ${path}, which lets them run programs as you.`,
		next: `Run: chmod ${mode} ${quoted(path)}`,
	};
}

function damaged(path: string): TokenProblem {
	return {
		kind: "damaged",
		message: `${path} does not hold an admin token.`,
		next: `Delete it and restart the gateway, which makes a new one: rm ${quoted(path)}`,
	};
}

function unreadable(path: string, error: unknown): TokenProblem {
	const { code, message } = error as NodeJS.ErrnoException;
	if (code === "ENOENT") {
		return {
			kind: "missing",
			message: `There is no admin token at ${path}.`,
			next: "Start the gateway, which makes one: moorage up",
		};
	}
	return {
		kind: "unreadable",
		message: `The admin token at ${path} cannot be used: ${message}.`,
		next: "Make the folder readable and writable for the user who runs Moorage.",
	};
}

function quoted(path: string): string {
	return /^[A-Za-z0-9_./-]+$/.test(path) ? path : `'${path.replaceAll("'", `'\\''`)}'`;
}
