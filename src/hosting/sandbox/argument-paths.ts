import { realpath, stat } from "node:fs/promises";
import { resolve } from "node:path";
import { followPath, realRoots } from "./follow.ts";
import type { Protection } from "./protection.ts";
import { isMachine, isWithin, isWithinAny, system_folders } from "./protection.ts";
import { isScriptName } from "./runtime.ts";

/** Arguments that are looked at; more than this names no folders any more. */
const arguments_max = 256;

const too_many =
	`Only its first ${arguments_max} arguments were looked at: name what the others mean under ` +
	"`read` and `write` of its `sandbox`.";

/** A path of the arguments that is not given to the server, and why. */
export interface RefusedPath {
	readonly path: string;
	/** Completes "… is not given to it: it ". */
	readonly why: string;
}

/** What a server's arguments say that it needs. */
export interface ArgumentPaths {
	/** Existing folders and files, to be bound writable at their own path. */
	readonly bound: readonly string[];
	/** Programs that something else runs, such as `server.js`: read, never written. */
	readonly scripts: readonly string[];
	readonly refused: readonly RefusedPath[];
	/** A sentence for `up` and `status`; undefined where there is nothing to say. */
	readonly line: string | undefined;
}

/** Where arguments are looked at. */
export interface ArgumentPlace {
	readonly args: readonly string[];
	/** Absolute folder that relative arguments start from. */
	readonly cwd: string;
	readonly protection: Protection;
	/** Real paths that it can read anyway: its package, its runtime. */
	readonly readable: readonly string[];
	/** Real paths that it can write anyway: its volume, its temporary folder. */
	readonly own: readonly string[];
	/** Real paths that the configuration lets it write. */
	readonly writable: readonly string[];
}

interface Found {
	readonly path: string;
	readonly real: string;
	readonly kind: "folder" | "file" | "other";
}

/**
 * Finds the existing folders and files that arguments name: `/srv/notes`, `notes.db`,
 * `--root=/srv/notes`. Looks at the file system, changes nothing.
 */
export async function findArgumentPaths(place: ArgumentPlace): Promise<ArgumentPaths> {
	const found = await lookUp(place);
	const folders = found.filter((one) => one.kind === "folder" && !objection(one, place));
	// What the server can write it can replace: by a link to what it was never given.
	const { roots } = await realRoots(
		folders.map(({ path }) => path),
		[...place.own, ...place.writable],
	);
	const bound = new Set<string>();
	const scripts = new Set<string>();
	const refused: RefusedPath[] = [];
	for (const one of found) {
		if (isWithinAny(one.real, [...place.own, ...place.readable, ...system_folders])) {
			continue;
		}
		const why = objection(one, place) ?? (await swapObjection(one, roots));
		if (why !== undefined) {
			refused.push({ path: one.path, why });
		} else if (one.kind === "file" && isScriptName(one.real)) {
			scripts.add(one.path);
		} else {
			bound.add(one.path);
		}
	}
	const paths = [...bound];
	const lines = [
		describe(paths, refused),
		place.args.length > arguments_max ? too_many : undefined,
	];
	const line = lines.filter((one) => one !== undefined).join(" ");
	return { bound: paths, scripts: [...scripts], refused, line: line === "" ? undefined : line };
}

async function lookUp({ args, cwd }: ArgumentPlace): Promise<Found[]> {
	const named = args.slice(0, arguments_max).flatMap(pathOf);
	const paths = [...new Set(named.map((path) => resolve(cwd, path)))];
	const found = await Promise.all(paths.map(lookAt));
	return found.filter((one) => one !== undefined);
}

/** The part of an argument that may be a path. */
function pathOf(argument: string): string[] {
	const text = argument.startsWith("-") ? argument.split("=").slice(1).join("=") : argument;
	return text === "" || /[\0\n]/u.test(text) ? [] : [text];
}

async function lookAt(path: string): Promise<Found | undefined> {
	try {
		const real = await realpath(path);
		const stats = await stat(real);
		const kind = stats.isDirectory() ? "folder" : stats.isFile() ? "file" : "other";
		return { path, real, kind };
	} catch {
		return undefined;
	}
}

function objection({ real, kind }: Found, { protection }: ArgumentPlace): string | undefined {
	if (isMachine(real)) {
		return "belongs to the machine";
	}
	if (kind === "other") {
		return "is neither a folder nor an ordinary file";
	}
	if (isWithin(real, protection.data_dir)) {
		return "lies in the gateway's data folder";
	}
	return protection.hidden.includes(real) ? "is a file of the gateway's configuration" : undefined;
}

async function swapObjection(
	{ path }: Found,
	roots: readonly string[],
): Promise<string | undefined> {
	const followed = await followPath(path, roots);
	return followed?.is_swapped === true
		? "is a link that leads out of a folder that the server can write"
		: undefined;
}

function describe(bound: readonly string[], refused: readonly RefusedPath[]): string | undefined {
	const sentences = [
		...(bound.length === 0 ? [] : [`It can write ${bound.join(", ")} (named in its arguments).`]),
		...refused.map(({ path, why }) => `${path} is not given to it: it ${why}.`),
	];
	return sentences.length === 0 ? undefined : sentences.join(" ");
}
