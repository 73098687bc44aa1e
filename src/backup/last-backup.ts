import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { fileState, replaceFile } from "../config/replace-file.ts";

/** What a data folder remembers of its last whole backup; it is in no backup itself. */
export interface LastBackup {
	readonly made_at_ms: number;
	/** Where it was written, which may have been emptied since. */
	readonly path: string;
	readonly bytes: number;
}

const file_name = "last-backup.json";
const schema = z.object({
	made_at_ms: z.number().int().nonnegative(),
	path: z.string(),
	bytes: z.number().int().nonnegative(),
});

/** Remembers a backup in the folder that it is of. A backup is good also where that fails. */
export async function noteBackup(data: string, made: LastBackup): Promise<void> {
	const path = join(data, file_name);
	const noting = fileState(path).then((before) =>
		replaceFile(path, `${JSON.stringify(made)}\n`, before),
	);
	await noting.catch(() => undefined);
}

/** The last whole backup of a data folder; undefined where there is none, or nothing says so. */
export async function lastBackup(data: string): Promise<LastBackup | undefined> {
	try {
		return schema.parse(JSON.parse(await readFile(join(data, file_name), "utf8")));
	} catch {
		return undefined;
	}
}
