import { realpath, stat } from "node:fs/promises";
import type { Confinement } from "../../upstreams/driver.ts";
import type { ArgumentPaths } from "./argument-paths.ts";
import { findArgumentPaths } from "./argument-paths.ts";
import type { Protection } from "./protection.ts";
import { isMachine, isTooWide, isWithin, isWithinAny, system_folders } from "./protection.ts";
import { runtimePaths, scriptPaths } from "./runtime.ts";

/** One thing that is put into a sandbox, at its own path. */
export interface Mount {
	/** `hide`: what would be seen there is not. `link`: a symbolic link to `target`. */
	readonly kind: "read" | "write" | "hide" | "link";
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
}

/** What a server sees of the file system beside the system's own folders. */
export interface MountPlan {
	/** In the order in which they are made: a folder before what lies in it. */
	readonly mounts: readonly Mount[];
	/** Sentences for a person. */
	readonly notes: readonly string[];
}

/** Where certificates are, when the environment says so. */
const certificate_names = ["SSL_CERT_FILE", "SSL_CERT_DIR", "NODE_EXTRA_CA_CERTS"] as const;

/** Decides what a server sees. Looks at the file system, changes nothing. */
export async function planMounts(request: MountRequest): Promise<MountPlan> {
	const { confinement, protection, args, cwd, env } = request;
	const { sandbox, volume, temp } = confinement;
	const needed = await neededPaths(request);
	const own = [await real(volume), await real(temp)];
	const [write, missing_write] = await existing(sandbox.write);
	const [read, missing_read] = await existing(sandbox.read);
	// Elsewhere a folder named in the arguments may well lie beside the program.
	const readable = (await realPaths(needed)).filter((path) => isWithin(path, protection.data_dir));
	const place = { args, cwd, protection, readable, own, writable: await realPaths(write) };
	const named = await findArgumentPaths(place);
	const scripts = await Promise.all(named.scripts.map((file) => scriptPaths(file, protection)));
	const { bound, notes } = argumentsGiven(named, sandbox.bind_arguments);
	const certificates = certificate_names.flatMap((name) => env[name] ?? []);
	// A server's own files lie in its working folder; what is too wide stays an empty one.
	const implied = [...needed, ...scripts.flat(), ...certificates, cwd];
	const table = new MountTable(protection);
	await table.add("write", [...write, ...bound]);
	await table.add("read", read);
	await table.add("implied", implied);
	await table.add("own", [volume, temp]);
	return {
		mounts: await table.list(),
		notes: [...notes, ...[...missing_read, ...missing_write].map(missingNote)],
	};
}

/** The package and the runtime; never a whole home, whatever lies directly in it. */
async function neededPaths(request: MountRequest): Promise<string[]> {
	const { confinement, program, protection, env } = request;
	const runtime = await runtimePaths(program, env["PATH"], protection);
	return [...confinement.needs, ...runtime];
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

type Claim = "write" | "read" | "implied" | "own";

/** Collects what is to be mounted, and puts it into order. */
class MountTable {
	readonly #protection: Protection;
	readonly #mounts = new Map<string, Mount>();
	readonly #links = new Map<string, string>();

	constructor(protection: Protection) {
		this.#protection = protection;
	}

	async add(claim: Claim, paths: readonly string[]): Promise<void> {
		for (const path of paths) {
			const found = await realpath(path).catch(() => undefined);
			const is_refused = claim === "implied" && isTooWide(found ?? "/", this.#protection);
			if (found === undefined || is_refused) {
				continue;
			}
			if (found !== path) {
				this.#links.set(path, found);
			}
			this.#claim(claim, found);
		}
	}

	/** Folders before what lies in them; what is hidden lies over what it is hidden in. */
	async list(): Promise<Mount[]> {
		const mounts = [...this.#mounts.values()];
		const seen = mounts.map(({ path }) => path);
		const { data_dir, hidden } = this.#protection;
		for (const path of [data_dir, ...hidden]) {
			const is_seen = !this.#mounts.has(path) && isWithinAny(path, seen);
			const stats = is_seen ? await stat(path).catch(() => undefined) : undefined;
			if (stats !== undefined) {
				mounts.push({ kind: "hide", path, is_file: !stats.isDirectory() });
			}
		}
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

function byPath([one]: readonly [string, ...unknown[]], [other]: readonly [string, ...unknown[]]) {
	return one < other ? -1 : one > other ? 1 : 0;
}

async function existing(paths: readonly string[]): Promise<[found: string[], missing: string[]]> {
	const found: string[] = [];
	const missing: string[] = [];
	for (const path of paths) {
		const is_there = (await realpath(path).catch(() => undefined)) !== undefined;
		(is_there ? found : missing).push(path);
	}
	return [found, missing];
}

async function realPaths(paths: readonly string[]): Promise<string[]> {
	return await Promise.all(paths.map(real));
}

async function real(path: string): Promise<string> {
	return await realpath(path).catch(() => path);
}
