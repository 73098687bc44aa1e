import { lstat, readlink } from "node:fs/promises";
import { join } from "node:path";
import type { Random } from "../lib/random.ts";
import { fail, type Result } from "../lib/result.ts";
import { copyTree, digestFile } from "./copy-tree.ts";
import { config_folder } from "./make-backup.ts";
import { damaged, type Entry, type Manifest, readManifest } from "./manifest.ts";
import { type BackupProblem, systemProblem } from "./problem.ts";
import {
	contentsOf,
	describeRecovery,
	recoverRestore,
	replaceContents,
} from "./replace-contents.ts";
import { system_restore_disk } from "./restore-disk.ts";

/** What a restore works with. */
export interface RestoreOptions {
	/** Absolute data folder, whose lock this process holds. */
	readonly data: string;
	/** Replaces what is there. */
	readonly force: boolean;
	/** Migrations this version knows. */
	readonly migrations: readonly string[];
	readonly random: Random;
	/** Told, in a sentence, that a restore before this one was interrupted and settled. */
	onRecovered(text: string): void;
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
 * there; only then it takes the place, or nothing of it does.
 */
export async function restoreBackup(
	backup: string,
	options: RestoreOptions,
): Promise<Result<Manifest, BackupProblem>> {
	const { data, force, migrations, random, onRecovered } = options;
	const checked = await checkBackup(backup, migrations);
	if (!checked.ok) return checked;
	try {
		const recovered = await recoverRestore(data);
		if (!recovered.ok) return recovered;
		const told = describeRecovery(data, recovered.value);
		if (told !== undefined) onRecovered(told);
		const present = await contentsOf(data);
		if (present.length > 0 && !force) {
			const message = `The folder ${data} is not empty. Use --force to replace what is in it.`;
			return fail({ code: "folder_not_empty", message, detail: present.join(", ") });
		}
		const entries = checked.value.entries.filter(({ path }) => !isConfig(path));
		const problem = await replaceContents({
			data,
			present,
			id: random.bytes(6).toString("hex"),
			fill: (folder) => copyEntries(backup, folder, entries),
		});
		return problem === undefined ? checked : fail(problem);
	} catch (error) {
		return fail(systemProblem(`The backup could not be restored into ${data}`, error));
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
	if (missing !== undefined) return damaged(backup, missing.path);
	for (const { kind, path } of entries) {
		// A link is no more than a name, which its folder has.
		if (kind !== "link") await system_restore_disk.sync(join(to, path));
	}
	await system_restore_disk.sync(to);
	return undefined;
}
