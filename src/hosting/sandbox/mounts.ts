import { lstat, realpath, stat } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import type { Confinement } from "../../upstreams/driver.ts";
import type { ArgumentPaths } from "./argument-paths.ts";
import { findArgumentPaths } from "./argument-paths.ts";
import { foldersBetween, followPath, realRoots } from "./follow.ts";
import type { Protection } from "./protection.ts";
import { isMachine, isTooWide, isWithin, isWithinAny, system_folders } from "./protection.ts";
import { runtimePaths, scriptPaths } from "./runtime.ts";

/** One thing that is put into a sandbox, at its own path. */
export interface Mount {
	/**
	 * `hide`: what would be seen there is not. `link`: a symbolic link to `target`. `pin`: a folder
	 * that is writable anyway, but cannot be moved away with what is mounted in it.
	 */
	readonly kind: "read" | "write" | "hide" | "link" | "pin";
	/** Absolute; real, but for a link. */
	readonly path: string;
	/** What is really there, where that is something else. */
	readonly source?: string;
	/** Where a link leads. */
	readonly target?: string;
	/** Whether what is hidden is a file. */
	readonly is_file?: boolean;
}

/** What a sandbox is planned from. */
export interface MountRequest {
	readonly confinement: Confinement;
	readonly protection: Protection;
	/** Absolute path of the program, as it was found. */
	readonly program: string;
	readonly args: readonly string[];
	readonly cwd: string;
	readonly env: Readonly<Record<string, string>>;
	/** Whether a program that lies in what its server can write is read-only for it. */
	readonly freezes_program: boolean;
}

/** What a server sees of the file system beside the system's own folders. */
export interface MountPlan {
	/** In the order in which they are made: a folder before what lies in it. */
	readonly mounts: readonly Mount[];
	/** Absolute folder that it starts in; its volume where it had put a link in that one's place. */
	readonly cwd: string;
	/** Sentences for a person. */
	readonly notes: readonly string[];
}

/** Where certificates are, when the environment says so. */
const certificate_names = ["SSL_CERT_FILE", "SSL_CERT_DIR", "NODE_EXTRA_CA_CERTS"] as const;

/** Decides what a server sees. Looks at the file system, changes nothing. */
export async function planMounts(request: MountRequest): Promise<MountPlan> {
	const { confinement, protection, program, args, env } = request;
	const { sandbox, volume, temp } = confinement;
	// Beside each other: whoever calls the server waits for them all.
	const [runtime, own, [write, missing_write], [read, missing_read]] = await Promise.all([
		runtimePaths(program, env["PATH"], protection),
		realPaths([volume, temp]),
		existing(sandbox.write),
		existing(sandbox.read),
	]);
	const configured = await realRoots(write, own);
	// Elsewhere a folder named in the arguments may well lie beside the program.
	const needed = await realPaths([...confinement.needs, ...runtime.paths]);
	const readable = needed.filter((path) => isWithin(path, protection.data_dir));
	const place = { args, cwd: request.cwd, protection, readable, own, writable: configured.roots };
	const named = await findArgumentPaths(place);
	const scripts = await Promise.all(named.scripts.map((file) => scriptPaths(file, protection)));
	const { bound, notes } = argumentsGiven(named, sandbox.bind_arguments);
	const { roots } = await realRoots(bound, configured.roots);
	const followed = await followPath(request.cwd, roots);
	const cwd = followed?.is_swapped === true ? volume : (followed?.real ?? request.cwd);
	const certificates = certificate_names.flatMap((name) => env[name] ?? []);
	const table = new MountTable(protection, roots);
	await table.add("write", [...write, ...bound]);
	await table.add("read", read);
	const is_fixed = !request.freezes_program || (await table.freeze(runtime.names));
	const program_paths = is_fixed ? runtime.paths : [];
	// A server's own files lie in its working folder; what is too wide stays an empty one.
	const beside = [...scripts.flat(), ...certificates, request.cwd];
	await table.add("implied", [...confinement.needs, ...program_paths, ...beside]);
	await table.add("own", [volume, temp]);
	return {
		mounts: await table.list(),
		cwd,
		notes: [
			...notes,
			...[...missing_read, ...missing_write].map(missingNote),
			...table.swapped.map(swappedNote),
		],
	};
}

function argumentsGiven(
	named: ArgumentPaths,
	bind_arguments: boolean,
): { readonly bound: readonly string[]; readonly notes: readonly string[] } {
	return bind_arguments
		? { bound: named.bound, notes: named.line === undefined ? [] : [named.line] }
		: { bound: [], notes: [] };
}

function missingNote(path: string): string {
	return `${path} does not exist, so its sandbox does not have it.`;
}

function swappedNote(path: string): string {
	return (
		`${path} is not given to it: a link in a folder that it can write leads from there to ` +
		"elsewhere. Name the real path where that is meant."
	);
}

type Claim = "write" | "read" | "implied" | "own";

/** Collects what is to be mounted, and puts it into order. */
class MountTable {
	readonly #protection: Protection;
	/** Real paths of what it can write. */
	readonly #roots: readonly string[];
	readonly #mounts = new Map<string, Mount>();
	readonly #links = new Map<string, string>();
	readonly #swapped = new Set<string>();

	constructor(protection: Protection, roots: readonly string[]) {
		this.#protection = protection;
		this.#roots = roots;
	}

	/** Paths that are not given because of a link that the server may have made. */
	get swapped(): readonly string[] {
		return [...this.#swapped];
	}

	async add(claim: Claim, paths: readonly string[]): Promise<void> {
		const all = await Promise.all(paths.map((path) => followPath(path, this.#roots)));
		for (const [index, path] of paths.entries()) {
			const followed = all[index];
			if (followed === undefined) continue;
			const { real: found, is_swapped } = followed;
			if (claim === "implied" && isTooWide(found, this.#protection)) continue;
			if (is_swapped) {
				this.#swapped.add(path);
				continue;
			}
			if (found !== path) {
				this.#links.set(path, found);
			}
			this.#claim(claim, found);
		}
	}

	/**
	 * A program that its server could replace would say what has to be read to run it. So it is
	 * read-only for the server: the file itself, or the folder of a link to it. False where that
	 * folder is one that it was given to write.
	 */
	async freeze(names: readonly string[]): Promise<boolean> {
		let is_fixed = true;
		for (const name of names) {
			const place = await realpath(dirname(name)).catch(() => undefined);
			if (place === undefined || !isWithinAny(place, this.#roots)) continue;
			const is_link = (await lstat(name).catch(() => undefined))?.isSymbolicLink() ?? true;
			const path = is_link ? place : join(place, basename(name));
			if (this.#mounts.get(path)?.kind === "write") {
				this.#swapped.add(name);
				is_fixed = false;
			} else {
				this.#mounts.set(path, { kind: "read", path });
			}
		}
		return is_fixed;
	}

	/** Folders before what lies in them; what is hidden lies over what it is hidden in. */
	async list(): Promise<Mount[]> {
		const mounts = [...this.#mounts.values()];
		const seen = mounts.map(({ path }) => path);
		const { data_dir, hidden } = this.#protection;
		const covered = [data_dir, ...hidden].filter((path) => {
			return !this.#mounts.has(path) && isWithinAny(path, seen);
		});
		const hides = await Promise.all(
			covered.map(async (path): Promise<Mount[]> => {
				const stats = await stat(path).catch(() => undefined);
				return stats === undefined ? [] : [{ kind: "hide", path, is_file: !stats.isDirectory() }];
			}),
		);
		mounts.push(...hides.flat());
		mounts.push(...pinsOf(mounts));
		const links: Mount[] = [];
		for (const [path, target] of [...this.#links].toSorted(byPath)) {
			const there = [...system_folders, ...seen, ...links.map((link) => link.path)];
			if (!isWithinAny(path, there) && !isMachine(path)) {
				links.push({ kind: "link", path, target });
			}
		}
		return [...mounts.toSorted((one, other) => byPath([one.path], [other.path])), ...links];
	}

	#claim(claim: Claim, path: string): void {
		const covered = [...this.#mounts.values()].filter((mount) => isWithin(path, mount.path));
		if (claim === "write" || claim === "own") {
			this.#mounts.set(path, { kind: "write", path });
			return;
		}
		const is_system = isWithinAny(path, system_folders);
		// What is implied takes nothing away from what the configuration says.
		const is_covered = claim === "implied" && covered.length > 0 && !this.#isHidden(path, covered);
		if (!is_system && !is_covered && !this.#mounts.has(path)) {
			this.#mounts.set(path, { kind: "read", path });
		}
	}

	/** Whether the data folder lies between a path and all that covers it. */
	#isHidden(path: string, covered: readonly Mount[]): boolean {
		const { data_dir } = this.#protection;
		return isWithin(path, data_dir) && !covered.some((mount) => isWithin(mount.path, data_dir));
	}
}

/**
 * What is mounted in a folder that is writable stays where it is, but a folder above it could be
 * moved, and something else put in its place. Such folders are mounted over themselves.
 */
function pinsOf(mounts: readonly Mount[]): Mount[] {
	const taken = new Set(mounts.map(({ path }) => path));
	const pins: Mount[] = [];
	for (const { path } of mounts) {
		const around = mounts.filter((mount) => mount.path !== path && isWithin(path, mount.path));
		const nearest = around.toSorted((one, other) => other.path.length - one.path.length)[0];
		if (nearest?.kind !== "write") continue;
		for (const folder of foldersBetween(nearest.path, path)) {
			if (!taken.has(folder)) pins.push({ kind: "pin", path: folder });
			taken.add(folder);
		}
	}
	return pins;
}

function byPath([one]: readonly [string, ...unknown[]], [other]: readonly [string, ...unknown[]]) {
	return one < other ? -1 : one > other ? 1 : 0;
}

async function existing(paths: readonly string[]): Promise<[found: string[], missing: string[]]> {
	const reals = await Promise.all(paths.map((path) => realpath(path).catch(() => undefined)));
	const found = paths.filter((_, index) => reals[index] !== undefined);
	const missing = paths.filter((_, index) => reals[index] === undefined);
	return [found, missing];
}

async function realPaths(paths: readonly string[]): Promise<string[]> {
	return await Promise.all(paths.map(real));
}

async function real(path: string): Promise<string> {
	return await realpath(path).catch(() => path);
}
