import { open, readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Result } from "../../lib/result.ts";
import { fail, succeed } from "../../lib/result.ts";
import { readShebang } from "../process/find-program.ts";
import type { InstallFailure } from "./failure.ts";
import type { ProgramEntry } from "./npm-program.ts";
import { parseRequirement } from "./python-command.ts";
import { normal } from "./python-tree.ts";
import type { PackageRequest } from "./request.ts";

/** The folder of an installation that holds its own Python. */
export const environment_folder = "venv";

/** Where the programs of an installation are. */
function programsOf(folder: string): string {
	return join(folder, environment_folder, process.platform === "win32" ? "Scripts" : "bin");
}

/** The Python of an installation. */
export function pythonOf(folder: string): string {
	return join(programsOf(folder), process.platform === "win32" ? "python.exe" : "python");
}

/**
 * Finds what is to be run in an installed environment. `uvx` runs the program that is named
 * like the package; a lone one of another name is meant all the same, unless a program was
 * asked for by name.
 */
export async function pythonProgram(
	folder: string,
	request: Pick<PackageRequest, "packages" | "program">,
): Promise<Result<ProgramEntry, InstallFailure>> {
	const { packages, program } = request;
	const named = parseRequirement(packages[0] ?? "")?.name ?? "";
	const offered = await offeredPrograms(folder, named);
	const present = (await names(programsOf(folder))).map(plain);
	const wanted =
		program === undefined
			? [named, named.replaceAll("_", "-"), ...(offered.length === 1 ? offered : [])]
			: [program];
	const name = wanted.find((candidate) => present.includes(candidate));
	if (name === undefined) {
		const hint =
			offered.length === 0
				? "it offers none"
				: `it offers ${offered.join(", ")}: uvx --from ${named} ${offered[0]}`;
		const line = `the package ${named} has no program ${program ?? named}; ${hint}`;
		return fail({ kind: "no_program", line });
	}
	const suffix = process.platform === "win32" ? ".exe" : "";
	const file = join(programsOf(folder), name + suffix);
	const rest = { file, node_args: [], path_prefix: undefined };
	return succeed({ ...rest, by: (await isPythonScript(folder, file)) ? "python" : "itself" });
}

/** The programs that a package brings, from the list of its files. */
async function offeredPrograms(folder: string, name: string): Promise<string[]> {
	for (const library of await libraries(folder)) {
		const place = (await names(library)).find(
			(entry) => entry.endsWith(".dist-info") && normal(entry.split("-")[0] ?? "") === normal(name),
		);
		if (place !== undefined) {
			const record = await readFile(join(library, place, "RECORD"), "utf8").catch(() => "");
			const found = record.matchAll(/^"?(?:\.\.\/)+(?:bin|Scripts)\/([^/,"]+)/gmu);
			return [...found].map(([, program = ""]) => plain(program)).sort();
		}
	}
	return [];
}

async function libraries(folder: string): Promise<string[]> {
	const root = join(folder, environment_folder);
	const versions = (await names(join(root, "lib"))).map((entry) => join(root, "lib", entry));
	return [...versions, join(root, "Lib")].map((place) => join(place, "site-packages"));
}

/**
 * Whether it is a script for the environment's own Python. Such a script starts that through a
 * shell, because it must not name a folder that may be moved; it is started directly instead.
 */
async function isPythonScript(folder: string, file: string): Promise<boolean> {
	const words = await readShebang(file);
	const interpreter = words?.[0] ?? "";
	if (interpreter.startsWith(folder)) {
		return true;
	}
	if (interpreter !== "/bin/sh") {
		return false;
	}
	const start = Buffer.alloc(32);
	const handle = await open(file);
	try {
		await handle.read(start, 0, start.length, 0);
	} finally {
		await handle.close();
	}
	return start.toString("latin1").includes("\n'''exec'");
}

function plain(name: string): string {
	return process.platform === "win32" ? name.replace(/\.exe$/iu, "") : name;
}

async function names(folder: string): Promise<string[]> {
	return await readdir(folder).catch(() => []);
}
