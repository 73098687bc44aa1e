import { readFile, realpath } from "node:fs/promises";
import { join, relative, sep } from "node:path";
import type { Result } from "../../lib/result.ts";
import { fail, succeed } from "../../lib/result.ts";
import type { InstallFailure } from "./failure.ts";
import { parseNpmSpec } from "./npm-spec.ts";
import type { PackageRequest } from "./request.ts";
import { programStart } from "./script.ts";

/** How an installed package is started. */
export interface ProgramEntry {
	/** The script that Node runs, or the program itself. */
	readonly file: string;
	/** Who runs it; `name`: a program of the machine, found on PATH. */
	readonly by: "node" | "python" | "itself" | "name";
	readonly node_args: readonly string[];
	/** Put in front of PATH; undefined when the server needs none of the package's programs. */
	readonly path_prefix: string | undefined;
}

const bin_folder = join("node_modules", ".bin");

/** Finds what is to be run in an installed tree, as `npx` finds it. */
export async function npmProgram(
	folder: string,
	request: Pick<PackageRequest, "packages" | "program">,
): Promise<Result<ProgramEntry, InstallFailure>> {
	const { packages, program } = request;
	const manifests = await Promise.all(packages.map((text) => readManifest(folder, text)));
	const main = manifests[0];
	if (main === undefined) {
		return fail({ kind: "other", line: "npm installed nothing" });
	}
	const chosen = program === undefined ? chooseBin(main) : succeed(program);
	if (!chosen.ok) {
		return chosen;
	}
	const path_prefix = program === undefined ? undefined : join(folder, bin_folder);
	const owner = manifests.find((manifest) => manifest?.bin.has(chosen.value));
	const file = await binFile(folder, owner, chosen.value);
	if (file === undefined && owner !== undefined) {
		const line = `the file of its program ${chosen.value} is missing`;
		return fail({ kind: "damaged", line });
	}
	if (file === undefined) {
		// Not a program of these packages: the user's own, to be found on PATH beside theirs.
		return succeed({ file: chosen.value, by: "name", node_args: [], path_prefix });
	}
	const start = await programStart(file);
	// A script for Bun, or for anything else, says itself what runs it; where that is missing the
	// start says so by name.
	return start.kind === "node"
		? succeed({ file, by: "node", node_args: start.node_args, path_prefix })
		: succeed({ file, by: "itself", node_args: [], path_prefix });
}

/** The part of a package.json that says how the package is run. */
export interface NpmManifest {
	readonly name: string;
	readonly version: string;
	/** Program name to file, relative to the package's folder. */
	readonly bin: ReadonlyMap<string, string>;
	/** The package's folder, relative to the installation's. */
	readonly folder: string;
}

async function readManifest(folder: string, text: string): Promise<NpmManifest | undefined> {
	const parsed = parseNpmSpec(text);
	if (parsed.kind !== "registry") {
		return undefined;
	}
	const place = join("node_modules", ...parsed.spec.name.split("/"));
	try {
		const json = await readFile(join(folder, place, "package.json"), "utf8");
		return parseManifest(JSON.parse(json), place);
	} catch {
		return undefined;
	}
}

/** Reads what is needed of a package.json; `bin` may be one file or several by name. */
export function parseManifest(value: unknown, folder: string): NpmManifest {
	const manifest = value as { name?: unknown; version?: unknown; bin?: unknown };
	const name = String(manifest.name);
	const bin = manifest.bin;
	const entries =
		typeof bin === "string"
			? [[unscoped(name), bin] as const]
			: Object.entries((bin ?? {}) as Record<string, unknown>);
	return {
		name,
		version: String(manifest.version),
		bin: new Map(
			entries.filter((entry): entry is [string, string] => typeof entry[1] === "string"),
		),
		folder,
	};
}

function unscoped(name: string): string {
	return name.replace(/^@[^/]+\//u, "");
}

/**
 * Chooses the program as `npx` does: the only one (several names for one file count as one),
 * else the one that is named like the package.
 */
export function chooseBin(manifest: NpmManifest): Result<string, InstallFailure> {
	const names = [...manifest.bin.keys()];
	const only = names[0];
	if (only !== undefined && new Set(manifest.bin.values()).size === 1) {
		return succeed(only);
	}
	const named = unscoped(manifest.name);
	if (manifest.bin.has(named)) {
		return succeed(named);
	}
	const line =
		only === undefined
			? `the package ${manifest.name} holds no program`
			: `the package ${manifest.name} holds several programs (${names.join(", ")}); ` +
				`choose one: npx -p ${manifest.name} ${only}`;
	return fail({ kind: "no_program", line });
}

/** The file of a program; never outside of the installation. */
async function binFile(
	folder: string,
	owner: NpmManifest | undefined,
	name: string,
): Promise<string | undefined> {
	const declared = owner?.bin.get(name);
	const path =
		owner === undefined || declared === undefined
			? join(folder, bin_folder, name)
			: join(folder, owner.folder, declared);
	try {
		const inside = relative(await realpath(folder), await realpath(path));
		const outside = inside === "" || inside === ".." || inside.startsWith(`..${sep}`);
		return outside ? undefined : join(folder, inside);
	} catch {
		return undefined;
	}
}
