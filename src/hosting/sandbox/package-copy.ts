import { createHash } from "node:crypto";
import { cp, mkdir, readdir, realpath, rename, rm, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { Confinement } from "../../upstreams/driver.ts";
import { isWithin } from "./protection.ts";

/** A folder that a server may write to in the place of another. */
export interface PackageCopy {
	/** Where the server finds it. */
	readonly path: string;
	/** The copy that belongs to the server's volume. */
	readonly source: string;
}

/** Files of a package that is copied; larger ones stay as they are, read-only. */
const files_max = 2_000;
const bytes_max = 32 * 1024 * 1024;
/** Preparations run a server once to learn of it; what that writes is for nobody. */
const preparation = /\/prepare-/;

/**
 * Where the copies of a volume are: beside it, and with it in every copy and backup. In it a
 * server could put a link in the place of one, and be given what that leads to.
 */
export function copiesFolder({ volume }: Pick<Confinement, "volume">): string {
	return `${volume}.package`;
}

/**
 * Servers of a client's file must work as they did before, and some write beside their own
 * program, where a package is installed read-only for all who run it. Each volume gets a copy of
 * the one package that the server is, without those it depends on, put in its place. What the
 * server writes there stays with its volume. Undefined where there is nothing to copy.
 */
export async function copyOwnPackage(
	confinement: Confinement,
	args: readonly string[],
	data_dir: string,
): Promise<PackageCopy | undefined> {
	const { sandbox, instance } = confinement;
	if (!sandbox.bind_arguments || preparation.test(instance)) return undefined;
	const path = await ownPackage(args, join(data_dir, "packages"));
	if (path === undefined) return undefined;
	const name = createHash("sha256").update(path).digest("hex").slice(0, 16);
	const folder = copiesFolder(confinement);
	const source = join(folder, name);
	// Before anything is counted: only the first start may take the time to.
	if (await exists(source)) return { path, source };
	if (!(await isSmall(path))) return undefined;
	const draft = join(folder, `.${name}.${instance.split("/").at(-1)}`);
	await mkdir(folder, { recursive: true, mode: 0o700 });
	await rm(draft, { recursive: true, force: true });
	await cp(path, draft, { recursive: true, preserveTimestamps: true, verbatimSymlinks: true });
	// Another instance of the same volume may have been faster; its copy is as good.
	await rename(draft, source).catch(() => rm(draft, { recursive: true, force: true }));
	return { path, source };
}

/** The folder of the package that the first script in the arguments belongs to. */
async function ownPackage(args: readonly string[], packages: string): Promise<string | undefined> {
	for (const arg of args) {
		const file = arg.startsWith("/") ? await realpath(arg).catch(() => undefined) : undefined;
		if (file === undefined || !isWithin(file, packages)) continue;
		for (let folder = dirname(file); isWithin(folder, packages); folder = dirname(folder)) {
			if (await exists(join(folder, "package.json"))) return folder;
		}
	}
	return undefined;
}

async function isSmall(folder: string): Promise<boolean> {
	const entries = await readdir(folder, { recursive: true, withFileTypes: true });
	if (entries.length > files_max) return false;
	let bytes = 0;
	for (const entry of entries) {
		if (!entry.isFile()) continue;
		bytes += (await stat(join(entry.parentPath, entry.name))).size;
	}
	return bytes <= bytes_max;
}

async function exists(path: string): Promise<boolean> {
	return (await stat(path).catch(() => undefined)) !== undefined;
}
