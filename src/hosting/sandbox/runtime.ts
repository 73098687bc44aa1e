import { readlink, realpath, stat } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import { findProgram, readShebang } from "../process/find-program.ts";
import type { Protection } from "./protection.ts";
import { isHome, isTooWide } from "./protection.ts";

/** Symbolic links from a program's name to its file; Linux follows no more of them. */
const links_max = 40;
/** Folders above a script that are searched for the package it belongs to. */
const folders_max = 12;
/** One of these in a folder says that a package or project begins there. */
const package_marks: readonly string[] = [
	"package.json",
	"pyproject.toml",
	"setup.py",
	"requirements.txt",
	"Gemfile",
	".git",
];
const script_name = /\.(?:[cm]?[jt]s|tsx|py|pyz|rb|sh|bash|pl|php|lua|jar|wasm)$/iu;

/** Whether a file's name says that it is a program which something else runs. */
export function isScriptName(path: string): boolean {
	return script_name.test(path);
}

/** What a program must be able to read to start. */
export interface RuntimePaths {
	readonly paths: readonly string[];
	/** The files and links that were followed to know that. */
	readonly names: readonly string[];
}

/**
 * What a program must be able to read to start, beside the system: itself under each of its
 * names, the installation that it is part of, its interpreter, and the package of its script.
 */
export async function runtimePaths(
	program: string,
	search_path: string | undefined,
	protection: Protection,
): Promise<RuntimePaths> {
	const names = await linkChain(program);
	const file = names.at(-1) ?? program;
	const [paths, words] = await Promise.all([
		Promise.all(names.map((name) => installation(name, protection))),
		readShebang(file),
	]);
	if (words === undefined) {
		return { paths, names };
	}
	const interpreter = await interpreterOf(words, search_path);
	const more =
		interpreter === undefined || names.includes(interpreter)
			? { paths: [], names: [] }
			: await runtimePaths(interpreter, undefined, protection);
	return {
		paths: [...paths, ...more.paths, ...(await scriptPaths(file, protection))],
		names: [...names, ...more.names],
	};
}

/** The folder of the package that a script belongs to, and the modules that it may load. */
export async function scriptPaths(file: string, protection: Protection): Promise<string[]> {
	const real = await realpath(file).catch(() => file);
	const folders: string[] = [];
	let folder = dirname(real);
	while (folders.length < folders_max && !isTooWide(folder, protection)) {
		folders.push(folder);
		folder = dirname(folder);
	}
	const places = folders.map((one) => join(one, "node_modules"));
	const [roots, has_modules] = await Promise.all([
		Promise.all(folders.map(isPackageRoot)),
		Promise.all(places.map(exists)),
	]);
	const root = folders[roots.indexOf(true)];
	const modules = places.filter((_, index) => has_modules[index]);
	const own = dirname(real);
	return [root ?? (isTooWide(own, protection) ? real : own), ...modules];
}

async function isPackageRoot(folder: string): Promise<boolean> {
	const found = await Promise.all(package_marks.map((mark) => exists(join(folder, mark))));
	return found.includes(true);
}

/** A path and everything that it links to, one step at a time; the last is a file. */
async function linkChain(path: string): Promise<string[]> {
	const names = [path];
	const whole = realpath(path).catch(() => undefined);
	for (let count = 0; count < links_max; count += 1) {
		const last = names.at(-1) ?? path;
		const target = await readlink(last).catch(() => undefined);
		if (target === undefined) {
			break;
		}
		names.push(resolve(dirname(last), target));
	}
	const real = await whole;
	return real === undefined || names.includes(real) ? names : [...names, real];
}

/**
 * The folder with the libraries of a program in its `bin`; the file alone where that folder
 * would be a home, or a settings folder in one (`~/.local`, `~/.cargo`).
 */
async function installation(file: string, protection: Protection): Promise<string> {
	const place = dirname(file);
	const folder = dirname(place);
	if (basename(place) !== "bin" || isTooWide(folder, protection)) {
		return file;
	}
	const is_settings = basename(folder).startsWith(".") && isHome(dirname(folder), protection);
	return is_settings && !(await exists(join(folder, "pyvenv.cfg"))) ? file : folder;
}

async function interpreterOf(
	words: readonly string[],
	search_path: string | undefined,
): Promise<string | undefined> {
	const [first] = words;
	if (first === undefined || basename(first) !== "env") {
		return first;
	}
	const named = words.slice(1).find((word) => !word.startsWith("-") && !word.includes("="));
	if (named === undefined) {
		return undefined;
	}
	const found = await findProgram(named, { path: search_path, cwd: "/" });
	return found.ok ? found.value : undefined;
}

async function exists(path: string): Promise<boolean> {
	return (await stat(path).catch(() => undefined)) !== undefined;
}
