import { join } from "node:path";
import { z } from "zod";
import { fail, type Result, succeed } from "../lib/result.ts";
import { type BackupProblem, systemProblem } from "./problem.ts";
import { type RestoreDisk, system_restore_disk } from "./restore-disk.ts";

/**
 * How everything in a data folder is replaced so that a crash at any moment, of the process or of
 * the machine, leaves either what was there or what was to come.
 *
 *     .restore-1f2e3d/            beside what it replaces: one file system, one rename a name
 *         restore.json            the marker: how far it is, and which names are on their way
 *         new/                    what comes; complete and on the disk before anything moves
 *         old/                    what was there
 *
 * The marker says `copying` until `new` is complete, `swapping` while names move, and `done` once
 * they have: only then what was there may go. While it says `swapping`, where a name lies tells
 * whether it was moved, so undoing can be interrupted and begun again as often as need be.
 */

/** Holds the lock of the gateway; stays where it is. */
const run_folder = "run";
const work_prefix = ".restore-";
const marker_name = "restore.json";

const marker_schema = z.discriminatedUnion("phase", [
	z.object({ phase: z.literal("copying") }),
	z.object({
		phase: z.literal("swapping"),
		/** Names that were in the data folder. */
		present: z.array(z.string()),
		/** Names that come. */
		arriving: z.array(z.string()),
	}),
	/** What was there is where it was again. */
	z.object({ phase: z.literal("undone") }),
	z.object({ phase: z.literal("done") }),
]);

type Marker = z.infer<typeof marker_schema>;
type Swapping = Extract<Marker, { phase: "swapping" }>;

/** What is replaced, and by what. */
export interface Replacement {
	/** Absolute data folder, whose lock this process holds. */
	readonly data: string;
	/** Tells this attempt from others: a few letters and digits. */
	readonly id: string;
	/** What goes out: see `contentsOf`. */
	readonly present: readonly string[];
	/** Fills an empty folder with what comes; a problem ends it with everything as it was. */
	fill(folder: string): Promise<BackupProblem | undefined>;
}

/** The names in a data folder that a backup takes the place of. */
export async function contentsOf(
	data: string,
	disk: RestoreDisk = system_restore_disk,
): Promise<string[]> {
	const names = await disk.names(data);
	return names.filter((name) => name !== run_folder && !name.startsWith(work_prefix));
}

/** Replaces what is in a data folder. Rejects only where `fill` does or a disk fails. */
export async function replaceContents(
	{ data, id, present, fill }: Replacement,
	disk: RestoreDisk = system_restore_disk,
): Promise<BackupProblem | undefined> {
	const work = join(data, `${work_prefix}${id}`);
	await disk.makeFolder(work);
	try {
		await mark(work, { phase: "copying" }, disk);
		await disk.sync(data);
		for (const name of ["new", "old"]) await disk.makeFolder(join(work, name));
		const problem = await fill(join(work, "new"));
		if (problem !== undefined) {
			await tidy(work, disk);
			return problem;
		}
	} catch (error) {
		await tidy(work, disk).catch(() => undefined);
		throw error;
	}
	const arriving = await disk.names(join(work, "new"));
	const swapping: Swapping = { phase: "swapping", present: [...present], arriving };
	try {
		await mark(work, swapping, disk);
		await swap(data, work, swapping, disk);
		await mark(work, { phase: "done" }, disk);
	} catch (error) {
		await undo(data, work, swapping, disk).catch(() => {
			// The folder and its marker stay, so that nothing is lost.
			const message = `${reasonOf(error)}; the next start puts back what was there`;
			throw new Error(message, { cause: error });
		});
		await tidy(work, disk).catch(() => undefined);
		throw error;
	}
	await tidy(work, disk).catch(() => undefined);
	return undefined;
}

/** What was found of a restore that did not end. */
export type Recovery =
	| "nothing"
	/** It had not begun to replace anything, or was through with it: leftovers were removed. */
	| "tidied"
	/** It was in the middle: what was there before it is there again. */
	| "undone";

/**
 * Settles restores that were interrupted. Belongs before anything in a data folder is opened, by
 * whoever holds its lock. A folder that cannot be settled is left as it is, and reported.
 */
export async function recoverRestore(
	data: string,
	disk: RestoreDisk = system_restore_disk,
): Promise<Result<Recovery, BackupProblem>> {
	let recovery: Recovery = "nothing";
	try {
		const works = (await disk.names(data)).filter((name) => name.startsWith(work_prefix));
		for (const name of works) {
			const work = join(data, name);
			const marker = await readMarker(work, disk);
			if (marker === undefined) return fail(unknownWork(work));
			if (marker.phase === "swapping") {
				await undo(data, work, marker, disk);
				recovery = "undone";
			} else if (recovery === "nothing") recovery = "tidied";
			await tidy(work, disk);
		}
		return succeed(recovery);
	} catch (error) {
		const what = `A restore of ${data} was interrupted, and what was there cannot be put back`;
		return fail(systemProblem(what, error));
	}
}

/** A sentence for whoever should know; undefined where nothing that matters happened. */
export function describeRecovery(data: string, recovery: Recovery): string | undefined {
	if (recovery === "nothing") return undefined;
	if (recovery === "tidied") return `What an interrupted restore left in ${data} was removed.`;
	return (
		`A restore of ${data} was interrupted. What was there before it has been put back; ` +
		"run `moorage restore` again for what was to come."
	);
}

/** Old things go out before new ones come in: at no moment two want the same name. */
async function swap(
	data: string,
	work: string,
	{ present, arriving }: Swapping,
	disk: RestoreDisk,
) {
	for (const name of present) await disk.rename(join(data, name), join(work, "old", name));
	for (const name of arriving) await disk.rename(join(work, "new", name), join(data, name));
	for (const folder of [join(work, "old"), data]) await disk.sync(folder);
}

/** What came goes back, then what went comes back. */
async function undo(
	data: string,
	work: string,
	{ present, arriving }: Swapping,
	disk: RestoreDisk,
) {
	const here = new Set(await disk.names(data));
	const out = new Set(await disk.names(join(work, "old")));
	const waiting = new Set(await disk.names(join(work, "new")));
	for (const name of arriving) {
		const is_old = present.includes(name) && !out.has(name);
		if (waiting.has(name) || !here.has(name) || is_old) continue;
		await disk.rename(join(data, name), join(work, "new", name));
		here.delete(name);
	}
	for (const name of present) {
		if (!out.has(name)) continue;
		if (here.has(name)) throw new Error(`"${name}" is there twice`);
		await disk.rename(join(work, "old", name), join(data, name));
	}
	for (const folder of [join(work, "old"), data]) await disk.sync(folder);
	// Before anything is removed: a missing name would otherwise seem to have come.
	await mark(work, { phase: "undone" }, disk);
}

/** The marker goes last: nothing is left that nobody knows the meaning of. */
async function tidy(work: string, disk: RestoreDisk): Promise<void> {
	for (const name of ["old", "new"]) await disk.remove(join(work, name));
	await disk.remove(work);
}

function mark(work: string, marker: Marker, disk: RestoreDisk): Promise<void> {
	return disk.replace(join(work, marker_name), `${JSON.stringify(marker)}\n`);
}

/** A folder in which nothing was put yet counts as copying; undefined where nobody can tell. */
async function readMarker(work: string, disk: RestoreDisk): Promise<Marker | undefined> {
	const text = await disk.read(join(work, marker_name));
	if (text === undefined) {
		const known = (await disk.names(work)).some((name) => name === "old" || name === "new");
		return known ? undefined : { phase: "copying" };
	}
	try {
		return marker_schema.safeParse(JSON.parse(text)).data;
	} catch {
		return undefined;
	}
}

function reasonOf(error: unknown): string {
	const { code, message } = error as NodeJS.ErrnoException;
	return code ?? message;
}

function unknownWork(work: string): BackupProblem {
	const message =
		`${work} is left of a restore that was interrupted, and does not say how far that was. ` +
		"In its folder `old` is what was there before, in `new` what had not come yet. Move what " +
		"you want to keep to its place by hand and remove the folder, or remove the whole data " +
		"folder after a look and restore again.";
	return { code: "restore_unsettled", message, detail: work };
}
