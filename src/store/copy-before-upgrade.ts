import { chmodSync, mkdirSync, readdirSync, renameSync, rmSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import type { DatabaseSync } from "node:sqlite";
import type { Clock } from "../lib/clock.ts";

/** Folder beside the database that has the copies. */
export const upgrades_folder = "before-upgrade";

/** As many copies are kept: older ones are of versions nobody goes back to. */
const copies_max = 3;

/**
 * Copies the database beside itself before its tables are changed, so that the version before can
 * be gone back to. The name says when, and before which migration. Throws where there is no room:
 * then nothing is changed either.
 */
export function copyBeforeUpgrade(
	raw: DatabaseSync,
	path: string,
	migration: string,
	clock: Clock,
): void {
	if (path === ":memory:") return;
	const folder = join(dirname(path), upgrades_folder);
	mkdirSync(folder, { recursive: true, mode: 0o700 });
	const [stem] = basename(path).split(".");
	// As ISO 8601, without the characters that file systems refuse: sorts by time.
	const stamp = new Date(clock.now()).toISOString().replaceAll(/[-:]|[.]\d+/g, "");
	const copy = join(folder, `${stem}-${stamp}-${migration}.db`);
	const partial = `${copy}.partial`;
	rmSync(partial, { force: true });
	raw.prepare("vacuum into ?").run(partial);
	chmodSync(partial, 0o600);
	renameSync(partial, copy);
	const copies = readdirSync(folder).filter((name) => name.startsWith(`${stem}-`));
	for (const old of copies.sort().slice(0, -copies_max)) rmSync(join(folder, old));
}
