import { access, readFile, realpath, writeFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import type { Result } from "../../lib/result.ts";
import { fail, succeed } from "../../lib/result.ts";
import { findProgram } from "../process/find-program.ts";
import type { InstallFailure } from "./failure.ts";
import { explainNpm } from "./failure.ts";
import type { Installer, InstallWork } from "./installer.ts";
import { npmEntry, npmProject } from "./npm-tree.ts";
import { platformName } from "./platform.ts";

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
		async lock(request, work) {
			const manifest = { name: "installed", private: true, dependencies: {} };
			await writeFile(join(work.folder, "package.json"), JSON.stringify(manifest));
			const line = ["--save", "--package-lock=true", ...request.options, "--", ...request.packages];
			const done = await runNpm([...command, "install"], line, work);
			if (!done.ok) {
				return done;
			}
			const entry = npmEntry(await readLock(work.folder), request.packages, platformName());
			return entry.ok ? succeed({ entry: entry.value, installed: true }) : entry;
		},
		async restore(entry, request, work) {
			if (entry.ecosystem !== "npm") {
				return fail({ kind: "other", line: "the lock holds a package of another kind" });
			}
			const project = npmProject(entry, request.packages);
			await writeFile(join(work.folder, "package.json"), project.manifest);
			await writeFile(join(work.folder, "package-lock.json"), project.lock);
			return await runNpm([...command, "ci"], request.options, work);
		},
		async runScripts(names, work) {
			const line = ["--ignore-scripts=false", "--foreground-scripts", "--", ...names];
			return await runNpm([...command, "rebuild"], line, work);
		},
	};
}

/**
 * npm asks as often as it does by itself, but not with pauses of ten and sixty seconds: nobody is
 * told what is wrong in that time, others wait for their turn, and Moorage tries again anyway.
 */
const retries = [
	"--fetch-retries=2",
	"--fetch-retry-factor=2",
	"--fetch-retry-mintimeout=1000",
	"--fetch-retry-maxtimeout=5000",
];

async function runNpm(
	verb: readonly string[],
	rest: readonly string[],
	{ folder, run }: InstallWork,
): Promise<Result<void, InstallFailure>> {
	const outcome = await run(
		[
			...verb,
			"--prefix",
			folder,
			"--global=false",
			"--ignore-scripts",
			"--no-audit",
			"--no-fund",
			"--no-update-notifier",
			"--no-progress",
			"--loglevel=error",
			...retries,
			"--json",
			...rest,
		],
		{},
	);
	if (!outcome.ok) {
		return outcome;
	}
	const { code, stdout, stderr } = outcome.value;
	return code === 0 ? succeed(undefined) : fail(explainNpm(stdout, stderr));
}

async function readLock(folder: string): Promise<unknown> {
	try {
		return JSON.parse(await readFile(join(folder, "package-lock.json"), "utf8"));
	} catch {
		return undefined;
	}
}

async function exists(path: string): Promise<boolean> {
	return await access(path).then(
		() => true,
		() => false,
	);
}
