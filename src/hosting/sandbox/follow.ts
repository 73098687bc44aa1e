import { readlink, realpath } from "node:fs/promises";
import { dirname, join, sep } from "node:path";
import { isWithin, isWithinAny } from "./protection.ts";

/** Where a path leads, and whether it is for the server to say. */
export interface Followed {
	/** Absolute, without links. */
	readonly real: string;
	/**
	 * A link on the way lies in a folder that the server can write, and what it leads to does not:
	 * the server may have made it, in the place of what people meant.
	 */
	readonly is_swapped: boolean;
}

/** Links on the way of one path; the kernel follows as many. */
const links_max = 40;

/**
 * Follows an absolute path to what is there; undefined where nothing is. `writable` are the real
 * paths of what the server can write, also while it ran before.
 */
export async function followPath(
	path: string,
	writable: readonly string[],
): Promise<Followed | undefined> {
	const real = await realpath(path).catch(() => undefined);
	if (real === undefined) return undefined;
	const is_own = real === path || isWithinAny(real, writable);
	return { real, is_swapped: !is_own && (await passesLink(path, writable)) };
}

/** Real paths of folders, but for those to which only a link in one of the others leads. */
export async function realRoots(
	paths: readonly string[],
	own: readonly string[],
): Promise<{ readonly roots: readonly string[]; readonly swapped: readonly string[] }> {
	const roots = [...own];
	const swapped: string[] = [];
	// A folder comes before what lies in it.
	for (const path of paths.toSorted((one, other) => one.length - other.length)) {
		const followed = await followPath(path, roots);
		if (followed?.is_swapped === true) swapped.push(path);
		else if (followed !== undefined) roots.push(followed.real);
	}
	return { roots, swapped };
}

/** The folders between a folder and something in it, outermost first, without these two. */
export function foldersBetween(outer: string, inner: string): string[] {
	const folders: string[] = [];
	for (let at = dirname(inner); at !== outer && isWithin(at, outer); at = dirname(at)) {
		folders.unshift(at);
	}
	return folders;
}

/** Whether a link in one of these folders is on the way of a path. */
async function passesLink(path: string, folders: readonly string[]): Promise<boolean> {
	let done: string = sep;
	const waiting = path.split(sep);
	for (let links = 0; waiting.length > 0 && links < links_max; ) {
		const name = waiting.shift() ?? "";
		const at = join(done, name);
		const target = name === ".." ? undefined : await readlink(at).catch(() => undefined);
		if (target === undefined) {
			done = at;
			continue;
		}
		if (folders.some((folder) => at !== folder && isWithin(at, folder))) return true;
		links += 1;
		waiting.unshift(...target.split(sep));
		if (target.startsWith(sep)) done = sep;
	}
	return waiting.length > 0;
}
