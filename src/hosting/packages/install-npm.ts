import { access, readFile, realpath, writeFile } from "node:fs/promises";
import { basename, dirname, join, relative, sep } from "node:path";
import type { Result } from "../../lib/result.ts";
import { fail, succeed } from "../../lib/result.ts";
import { findProgram } from "../process/find-program.ts";
import type { InstallFailure } from "./failure.ts";
import { explainNpm } from "./failure.ts";
import { folder_token, node_token } from "./installed.ts";
import type { InstalledParts, Installer } from "./installer.ts";
import { parseNpmSpec } from "./npm-spec.ts";
import { programStart } from "./script.ts";

/**
 * Finds npm: the one that came with the running Node, else the one on PATH. Its script is run
 * with the running Node where it can be found, because npm chooses versions by the Node that
 * runs it. Undefined when there is none.
 */
export async function findNpm(
	node_path: string,
	path: string | undefined,
): Promise<readonly string[] | undefined> {
	const folder = dirname(node_path);
	for (const beside of [join(folder, "..", "lib"), folder]) {
		const script = join(beside, "node_modules", "npm", "bin", "npm-cli.js");
		if (await exists(script)) {
			return [node_path, script];
		}
	}
	const found = await findProgram("npm", { path, cwd: folder });
	if (!found.ok) {
		return undefined;
	}
	const target = await realpath(found.value);
	return basename(target) === "npm-cli.js" ? [node_path, target] : [found.value];
}

/** Installs with npm, install scripts off. `command` is how npm is run. */
export function npmInstaller(command: readonly string[]): Installer {
	return {
		name: "npm",
		async install(request, folder, run) {
			const manifest = { name: "installed", private: true, dependencies: {} };
			await writeFile(join(folder, "package.json"), JSON.stringify(manifest));
			const outcome = await run(
				[
					...command,
					"install",
					"--prefix",
					folder,
					"--global=false",
					"--ignore-scripts",
					"--no-audit",
					"--no-fund",
					"--no-update-notifier",
					"--no-progress",
					"--loglevel=error",
					"--json",
					"--save",
					...request.options,
					"--",
					...request.packages,
				],
				{},
			);
			if (!outcome.ok) {
				return outcome;
			}
			const { code, stdout, stderr } = outcome.value;
			if (code !== 0) {
				return fail(explainNpm(stdout, stderr));
			}
			return await describeInstalled(folder, request.packages, request.program);
		},
	};
}

async function describeInstalled(
	folder: string,
	packages: readonly string[],
	program: string | undefined,
): Promise<Result<InstalledParts, InstallFailure>> {
	const manifests = await Promise.all(packages.map((text) => readManifest(folder, text)));
	const main = manifests[0];
	if (main === undefined) {
		return fail({ kind: "other", line: "npm installed nothing" });
	}
	const chosen = program === undefined ? chooseBin(main) : succeed(program);
	if (!chosen.ok) {
		return chosen;
	}
	const path_prefix = program === undefined ? undefined : join(folder_token, bin_folder);
	const owner = manifests.find((manifest) => manifest?.bin.has(chosen.value));
	const file = await binFile(folder, owner, chosen.value);
	// Not a program of these packages: the user's own, to be found on PATH beside theirs.
	const start =
		file === undefined ? { entry: chosen.value, args_prefix: [] } : await startOf(folder, file);
	return succeed({
		version: main.version,
		...start,
		...(path_prefix === undefined ? {} : { path_prefix }),
		scripts_skipped: await packagesWithScripts(folder),
	});
}

const bin_folder = join("node_modules", ".bin");

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

/** The file of a program, relative to the installation; never outside of it. */
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
		const root = await realpath(folder);
		const inside = relative(root, await realpath(path));
		return inside.startsWith("..") || inside === "" ? undefined : inside;
	} catch {
		return undefined;
	}
}

/** How a file is started, in terms of the folder and of the gateway's Node. */
async function startOf(
	folder: string,
	file: string,
): Promise<{ entry: string; args_prefix: string[] }> {
	const path = [folder_token, ...file.split(sep)].join("/");
	const start = await programStart(join(folder, file));
	return start.kind === "node"
		? { entry: node_token, args_prefix: [...start.node_args, path] }
		: { entry: path, args_prefix: [] };
}

/** Names of installed packages whose install scripts would have run. */
async function packagesWithScripts(folder: string): Promise<string[]> {
	try {
		const text = await readFile(join(folder, "node_modules", ".package-lock.json"), "utf8");
		const lock = JSON.parse(text) as {
			packages?: Record<string, { hasInstallScript?: boolean }>;
		};
		return Object.entries(lock.packages ?? {})
			.filter(([, entry]) => entry.hasInstallScript === true)
			.map(([place]) => place.slice(place.lastIndexOf("node_modules/") + 13));
	} catch {
		return [];
	}
}

async function exists(path: string): Promise<boolean> {
	return await access(path).then(
		() => true,
		() => false,
	);
}
