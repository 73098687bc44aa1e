import { access, readFile, writeFile } from "node:fs/promises";
import { delimiter, join } from "node:path";
import type { Result } from "../../lib/result.ts";
import { fail, succeed } from "../../lib/result.ts";
import { findProgram } from "../process/find-program.ts";
import type { InstallFailure } from "./failure.ts";
import { explainUv } from "./failure.ts";
import type { Installer, InstallWork } from "./installer.ts";
import type { PythonEntry } from "./lock-entry.ts";
import { platformName } from "./platform.ts";
import { environment_folder, pythonOf } from "./python-program.ts";
import { pythonEntry, pythonRequirements } from "./python-tree.ts";
import type { PackageRequest } from "./request.ts";

/**
 * Finds uv on PATH, else where its own installer puts it: services seldom have that folder on
 * their PATH. Undefined when there is none.
 */
export async function findUv(
	path: string | undefined,
	home: string | undefined,
): Promise<string | undefined> {
	const own = home === undefined ? [] : [join(home, ".local", "bin"), join(home, ".cargo", "bin")];
	const found = await findProgram("uv", { path: [path ?? "", ...own].join(delimiter), cwd: "/" });
	return found.ok ? found.value : undefined;
}

/** Options that are about the interpreter, which the environment is made with. */
const interpreter_option =
	/^--(?:python(?:=|$)|managed-python|no-managed-python|no-python-downloads)/u;
/** Options that choose versions; what is locked needs no choice. */
const choosing_option = /^--(?:prerelease|resolution|exclude-newer)(?:=|$)/u;

/**
 * Installs with uv into an environment of its own. A source distribution runs code of its
 * author when it is built, so only wheels are taken but for the packages that may run scripts.
 */
export function uvInstaller(uv: string): Installer {
	return {
		name: "uv",
		async lock(request, work) {
			const made = await makeEnvironment(uv, request, work);
			if (!made.ok) {
				return made;
			}
			const entry = await compile(uv, request, work);
			if (!entry.ok) {
				return entry;
			}
			const installed = await restore(uv, entry.value, request, work);
			return installed.ok ? succeed({ entry: entry.value, installed: true }) : installed;
		},
		async restore(entry, request, work) {
			if (entry.ecosystem !== "pypi") {
				return fail({ kind: "other", line: "the lock holds a package of another kind" });
			}
			const made = await makeEnvironment(uv, request, work);
			return made.ok ? await restore(uv, entry, request, work) : made;
		},
		// They have run by now: a package is built while it is installed.
		runScripts: () => Promise.resolve(succeed(undefined)),
	};
}

/** Finds out which versions a request means, for every platform at once, with all their hashes. */
async function compile(
	uv: string,
	request: PackageRequest,
	work: InstallWork,
): Promise<Result<PythonEntry, InstallFailure>> {
	const file = join(work.folder, "requirements.in");
	await writeFile(file, `${request.packages.join("\n")}\n`);
	const compiled = join(work.folder, "compiled.txt");
	const done = await runUv(work, [
		uv,
		"pip",
		"compile",
		"--quiet",
		"--no-progress",
		"--universal",
		"--generate-hashes",
		"--no-header",
		"--no-annotate",
		`--python=${pythonOf(work.folder)}`,
		...buildOptions(work.scripts),
		...request.options.filter((option) => !interpreter_option.test(option)),
		`--output-file=${compiled}`,
		file,
	]);
	if (!done.ok) {
		return done;
	}
	const where = { platform: platformName(), python: await pythonVersion(work.folder) };
	return pythonEntry(await readFile(compiled, "utf8"), request.packages[0] ?? "", where);
}

async function restore(
	uv: string,
	entry: PythonEntry,
	request: PackageRequest,
	work: InstallWork,
): Promise<Result<void, InstallFailure>> {
	const file = join(work.folder, "requirements.txt");
	await writeFile(file, pythonRequirements(entry));
	const options = request.options.filter(
		(option) => !interpreter_option.test(option) && !choosing_option.test(option),
	);
	return await runUv(work, [
		uv,
		"pip",
		"install",
		"--quiet",
		"--no-progress",
		`--python=${pythonOf(work.folder)}`,
		"--require-hashes",
		"--no-deps",
		// Done once here instead of by the server's first start.
		"--compile-bytecode",
		// A link into uv's cache would let one server's damage reach every other.
		"--link-mode=copy",
		...buildOptions(work.scripts),
		...options,
		`--requirements=${file}`,
	]);
}

/** Only wheels, except of the packages that may run their authors' code to be built. */
function buildOptions(scripts: readonly string[]): string[] {
	return ["--only-binary=:all:", ...scripts.map((name) => `--no-binary=${name}`)];
}

/** An environment that can be moved, made once in a folder. */
async function makeEnvironment(
	uv: string,
	request: PackageRequest,
	work: InstallWork,
): Promise<Result<void, InstallFailure>> {
	const made = await access(pythonOf(work.folder)).then(
		() => true,
		() => false,
	);
	if (made) {
		return succeed(undefined);
	}
	const options = request.options.filter(
		(option) => interpreter_option.test(option) || /^--(?:no-config|offline)$/u.test(option),
	);
	const place = join(work.folder, environment_folder);
	const done = await runUv(work, [uv, "venv", "--quiet", "--relocatable", ...options, place]);
	return done.ok ? succeed(undefined) : done;
}

async function pythonVersion(folder: string): Promise<string> {
	const text = await readFile(join(folder, environment_folder, "pyvenv.cfg"), "utf8");
	return /^version_info\s*=\s*(\d+\.\d+)/mu.exec(text)?.[1] ?? "3.0";
}

async function runUv(
	work: InstallWork,
	command: readonly string[],
): Promise<Result<void, InstallFailure>> {
	const outcome = await work.run(command, {});
	if (!outcome.ok) {
		return outcome;
	}
	const { code, stdout, stderr } = outcome.value;
	return code === 0 ? succeed(undefined) : fail(explainUv(stdout, stderr));
}
