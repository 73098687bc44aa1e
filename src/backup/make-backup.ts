import { lstat, mkdir, readdir, rename, rm } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { backup, DatabaseSync } from "node:sqlite";
import type { Clock } from "../lib/clock.ts";
import type { Random } from "../lib/random.ts";
import { fail, type Result, succeed } from "../lib/result.ts";
import { copyTree, describeFile } from "./copy-tree.ts";
import { noteBackup } from "./last-backup.ts";
import { type Entry, type Manifest, writeManifest } from "./manifest.ts";
import { type BackupProblem, systemProblem } from "./problem.ts";

/** The history of calls in a data folder. */
const history_path = "calls/history.db";
/** Name of the database in a data folder. */
const database_name = "moorage.db";
/** What else of a data folder is kept. Packages are installed again from the lock. */
const kept_names = ["admin-token", "keys", "moorage.lock"] as const;
const audit_name = "audit";
const volumes_name = "volumes";
/** Folder of a backup for the configuration and the lock beside it. */
export const config_folder = "config";

/** More than any database has. */
const pages_at_once = 2 ** 31 - 1;

/** What a backup is made of. */
export interface BackupSources {
	/** Absolute data folder. */
	readonly data: string;
	/** Absolute paths of the configuration and its lock; those that exist are kept. */
	readonly config: readonly string[];
	readonly version: string;
	readonly clock: Clock;
	readonly random: Random;
	/** Keeps a server from writing until the returned function is called. */
	still(server: string): Promise<() => Promise<void>>;
	/** Keeps the audit from letting go of anything until the returned function is called. */
	holdAudit(): Promise<() => void>;
	/** Resolves when everything that was to be written is in the database. */
	flush(): Promise<void>;
}

/** What was made. */
export interface MadeBackup {
	readonly path: string;
	readonly files: number;
	readonly bytes: number;
	/** Servers whose volumes are in it. */
	readonly servers: readonly string[];
}

/**
 * Copies everything that a gateway keeps into a new folder, also while it runs. Each server stands
 * still while its volumes are copied, the audit lets go of nothing while it is, and the database is
 * copied as it is at one moment. The folder has its name only when it is complete.
 */
export async function makeBackup(
	path: string,
	sources: BackupSources,
): Promise<Result<MadeBackup, BackupProblem>> {
	const partial = join(
		dirname(path),
		`.${basename(path)}-${sources.random.bytes(6).toString("hex")}.partial`,
	);
	try {
		if (await exists(path)) {
			const message = `${path} exists already. Name a folder that does not.`;
			return fail({ code: "folder_not_empty", message, detail: path });
		}
		await mkdir(partial, { recursive: true, mode: 0o700 });
		const { entries, servers, migrations } = await copyAll(partial, sources);
		const made_at_ms = sources.clock.now();
		await writeManifest(partial, {
			format: 1,
			moorage: sources.version,
			created_at_ms: made_at_ms,
			migrations,
			entries,
		} satisfies Manifest);
		await rename(partial, path);
		const files = entries.filter((entry) => entry.kind === "file");
		const bytes = files.reduce((sum, file) => sum + file.bytes, 0);
		await noteBackup(sources.data, { made_at_ms, path, bytes });
		return succeed({ path, files: files.length, bytes, servers });
	} catch (error) {
		await rm(partial, { recursive: true, force: true }).catch(() => undefined);
		return fail(systemProblem(`The backup ${path} could not be made`, error));
	}
}

async function copyAll(to: string, sources: BackupSources) {
	const { data } = sources;
	const entries: Entry[] = [];
	const servers: string[] = [];
	for (const name of kept_names) {
		if (await exists(join(data, name))) entries.push(...(await copyTree(data, to, name)));
	}
	entries.push(...(await copyAudit(to, sources)));
	if (await exists(join(data, volumes_name))) {
		await mkdir(join(to, volumes_name), { mode: 0o700 });
		entries.push({ kind: "folder", path: volumes_name, mode: 0o700 });
		for (const server of (await readdir(join(data, volumes_name))).sort()) {
			// What starts with a dot is on its way to be removed.
			if (server.startsWith(".")) continue;
			const goOn = await sources.still(server);
			try {
				entries.push(...(await copyTree(data, to, `${volumes_name}/${server}`)));
			} finally {
				await goOn();
			}
			servers.push(server);
		}
	}
	await sources.flush();
	const migrations = await copyDatabase(join(data, database_name), join(to, database_name));
	entries.push(await describeFile(to, database_name, 0o600));
	entries.push(...(await copyHistory(data, to)));
	entries.push(...(await copyConfig(to, sources.config)));
	return { entries, servers, migrations };
}

/**
 * Copies the audit, whose log grows meanwhile. In the order of their names what is signed comes
 * before the log, and the keys of payloads after it: so each entry of the copy has its key, unless
 * one is destroyed in between.
 */
async function copyAudit(to: string, { data, holdAudit }: BackupSources): Promise<Entry[]> {
	if (!(await exists(join(data, audit_name)))) return [];
	const goOn = await holdAudit();
	try {
		return await copyTree(data, to, audit_name);
	} finally {
		goOn();
	}
}

/** Copies the history of calls; the call log's own files are for whoever collects them. */
async function copyHistory(data: string, to: string): Promise<Entry[]> {
	if (!(await exists(join(data, history_path)))) return [];
	const folder = dirname(history_path);
	await mkdir(join(to, folder), { mode: 0o700 });
	await copyPages(join(data, history_path), join(to, history_path));
	return [
		{ kind: "folder", path: folder, mode: 0o700 },
		await describeFile(to, history_path, 0o600),
	];
}

/** Copies the database as it is at one moment, without holding its writers up. */
async function copyDatabase(from: string, to: string): Promise<string[]> {
	await copyPages(from, to);
	const copy = new DatabaseSync(to, { readOnly: true });
	try {
		const rows = copy.prepare("select name from kysely_migration order by name").all();
		return rows.map((row) => String(row["name"]));
	} finally {
		copy.close();
	}
}

async function copyPages(from: string, to: string): Promise<void> {
	const source = new DatabaseSync(from, { readOnly: true });
	try {
		// All pages in one step: a writer in between would make it begin again.
		await backup(source, to, { rate: pages_at_once });
	} finally {
		source.close();
	}
}

async function copyConfig(to: string, paths: readonly string[]): Promise<Entry[]> {
	const entries: Entry[] = [];
	for (const path of paths) {
		if (!(await exists(path))) continue;
		if (entries.length === 0) {
			await mkdir(join(to, config_folder), { mode: 0o700 });
			entries.push({ kind: "folder", path: config_folder, mode: 0o700 });
		}
		const [entry] = await copyTree(dirname(path), join(to, config_folder), basename(path));
		if (entry !== undefined) entries.push({ ...entry, path: `${config_folder}/${entry.path}` });
	}
	return entries;
}

async function exists(path: string): Promise<boolean> {
	return lstat(path).then(
		() => true,
		() => false,
	);
}
