import { readdir, readFile, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import type { Clock } from "../../lib/clock.ts";
import type { Random } from "../../lib/random.ts";
import { preparedFolder } from "./compile-cache.ts";
import { removeAbandoned, temporary_prefix } from "./installation.ts";
import { record_name } from "./installed.ts";

/** Folders removed in one sweep; the rest waits for the next one. */
const removals_max = 32;
const ecosystems = ["npm", "pypi"] as const;

/** What a sweep is told. */
export interface Sweep {
	readonly data_dir: string;
	readonly clock: Clock;
	readonly random: Random;
	/** Digests of trees that a server or a kept version needs. */
	readonly digests: ReadonlySet<string>;
	/** Folders that were handed out since the gateway started: something may run in them. */
	readonly used: ReadonlySet<string>;
}

/**
 * Removes installations that nobody needs any more; resolves with the names of what it removed.
 * What has no record is no installation that could run, and goes as well.
 */
export async function sweepPackages(sweep: Sweep): Promise<string[]> {
	const removed: string[] = [];
	await removeAbandoned(join(sweep.data_dir, "packages"), sweep.clock).catch(() => undefined);
	for (const ecosystem of ecosystems) {
		const root = join(sweep.data_dir, "packages", ecosystem);
		for (const name of await readdir(root).catch(() => [])) {
			const folder = join(root, name);
			if (name.startsWith(temporary_prefix) || sweep.used.has(folder)) {
				continue;
			}
			const digest = await digestOf(folder);
			if (digest !== undefined && sweep.digests.has(digest)) {
				continue;
			}
			if (removed.length >= removals_max) {
				return removed;
			}
			await remove(sweep, root, folder);
			removed.push(name);
		}
	}
	return removed;
}

async function digestOf(folder: string): Promise<string | undefined> {
	try {
		const record = JSON.parse(await readFile(join(folder, record_name), "utf8")) as {
			digest?: unknown;
		};
		return typeof record.digest === "string" ? record.digest : undefined;
	} catch {
		return undefined;
	}
}

/** Out of sight in one step, so that a sweep that is cut off leaves no half of a tree in place. */
async function remove(sweep: Sweep, root: string, folder: string): Promise<void> {
	const aside = join(root, temporary_prefix + sweep.random.bytes(6).toString("hex"));
	await rename(folder, aside);
	await rm(aside, { recursive: true, force: true });
	await rm(preparedFolder(sweep.data_dir, folder), { recursive: true, force: true });
}
