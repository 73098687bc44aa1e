import { lstat, mkdir, readdir, readlink, rename, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { Random } from "../lib/random.ts";
import { fail, type Result } from "../lib/result.ts";
import { copyTree, digestFile } from "./copy-tree.ts";
import { config_folder } from "./make-backup.ts";
import { damaged, type Entry, type Manifest, readManifest } from "./manifest.ts";
import { type BackupProblem, systemProblem } from "./problem.ts";

/** Holds the lock of the gateway; stays where it is. */
const run_folder = "run";
/** Folders that a restore works in, inside the data folder: one file system, one rename. */
const work_prefix = ".restore-";

/** What a restore works with. */
export interface RestoreOptions {
	/** Absolute data folder, whose lock this process holds. */
	readonly data: string;
	/** Replaces what is there. */
	readonly force: boolean;
	/** Migrations this version knows. */
	readonly migrations: readonly string[];
	readonly random: Random;
}

/**
 * Checks a backup from end to end: every file is there, as it was written, and this version of
 * Moorage can use it. Nothing is written.
 */
export async function checkBackup(
	backup: string,
	migrations: readonly string[],
): Promise<Result<Manifest, BackupProblem>> {
	const manifest = await readManifest(backup);
	if (!manifest.ok) return manifest;
	const unknown = manifest.value.migrations.filter((name) => !migrations.includes(name));
	if (unknown.length > 0) {
		const message =
			`The backup ${backup} was made by Moorage ${manifest.value.moorage}, which is newer. ` +
			"Restore it with that version or a later one.";
		return fail({ code: "backup_newer", message, detail: unknown.join(", ") });
	}
	for (const entry of manifest.value.entries) {
		const whole = await isWhole(backup, entry).catch(() => false);
		if (!whole) return fail(damaged(backup, entry.path));
	}
	return manifest;
}

async function isWhole(backup: string, entry: Entry): Promise<boolean> {
	const path = join(backup, entry.path);
	const stat = await lstat(path);
	if (entry.kind === "folder") return stat.isDirectory();
	if (entry.kind === "link") return (await readlink(path)) === entry.target;
	if (!stat.isFile() || stat.size !== entry.bytes) return false;
	return (await digestFile(path)).sha256 === entry.sha256;
}

/**
 * Puts a backup into a data folder. It is copied beside what is there first, and checked again
 * there; only then it takes the place.
 */
export async function restoreBackup(
	backup: string,
	options: RestoreOptions,
): Promise<Result<Manifest, BackupProblem>> {
	const { data, force, migrations, random } = options;
	const checked = await checkBackup(backup, migrations);
	if (!checked.ok) return checked;
	const work = join(data, `${work_prefix}${random.bytes(6).toString("hex")}`);
	try {
		const present = (await readdir(data)).filter((name) => name !== run_folder);
		if (present.length > 0 && !force) {
			const message = `The folder ${data} is not empty. Use --force to replace what is in it.`;
			return fail({ code: "folder_not_empty", message, detail: present.join(", ") });
		}
		await mkdir(join(work, "new"), { recursive: true, mode: 0o700 });
		await mkdir(join(work, "old"), { mode: 0o700 });
		const entries = checked.value.entries.filter(({ path }) => !isConfig(path));
		const problem = await copyEntries(backup, join(work, "new"), entries);
		if (problem !== undefined) return fail(problem);
		await swap(data, work, present);
		return checked;
	} catch (error) {
		return fail(systemProblem(`The backup could not be restored into ${data}`, error));
	} finally {
		await rm(work, { recursive: true, force: true }).catch(() => undefined);
	}
}

/** Whether a path of a backup is that of the configuration, which has a place of its own. */
export function isConfig(path: string): boolean {
	return path === config_folder || path.startsWith(`${config_folder}/`);
}

async function copyEntries(
	backup: string,
	to: string,
	entries: readonly Entry[],
): Promise<BackupProblem | undefined> {
	const written = new Set<string>();
	const tops = new Set(entries.map(({ path }) => path.split("/")[0] as string));
	for (const top of tops) {
		for (const entry of await copyTree(backup, to, top)) written.add(JSON.stringify(entry));
	}
	const missing = entries.find((entry) => !written.has(JSON.stringify(entry)));
	return missing === undefined ? undefined : damaged(dirname(to), missing.path);
}

/** Old things go out before new ones come in; what was moved comes back if anything fails. */
async function swap(data: string, work: string, present: readonly string[]): Promise<void> {
	const undo: (() => Promise<void>)[] = [];
	const move = async (from: string, to: string) => {
		await rename(from, to);
		undo.push(() => rename(to, from));
	};
	try {
		for (const name of present) await move(join(data, name), join(work, "old", name));
		for (const name of await readdir(join(work, "new"))) {
			await move(join(work, "new", name), join(data, name));
		}
	} catch (error) {
		for (const back of undo.reverse()) await back();
		throw error;
	}
}
