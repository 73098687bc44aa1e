import { stat } from "node:fs/promises";
import { basename, dirname, extname, relative, resolve } from "node:path";
import type { Result } from "../lib/result.ts";
import { fail, succeed } from "../lib/result.ts";
import { type ConfigProblem, placelessProblem } from "./problem.ts";
import { readReason } from "./read-bounded.ts";

/** Names searched for in a folder, the first that exists wins. */
export const searched_files: readonly string[] = [
	"moorage.yaml",
	"moorage.yml",
	"moorage.json",
	"mcp.json",
	".mcp.json",
	".cursor/mcp.json",
	".vscode/mcp.json",
];

/**
 * The absolute path of the configuration: the given file, the first known file of the given
 * folder, or of the working directory. Undefined when nothing was given and nothing is there.
 */
export async function findConfig(
	path: string | undefined,
	cwd: string,
): Promise<Result<string | undefined, ConfigProblem>> {
	if (path === undefined) return succeed(await searchFolder(cwd));
	const absolute = resolve(cwd, path);
	try {
		if (!(await stat(absolute)).isDirectory()) return succeed(absolute);
	} catch (error) {
		const message = `The configuration ${readReason(error)}.`;
		return fail(placelessProblem(shownPath(absolute, cwd), message, "Correct the path."));
	}
	const found = await searchFolder(absolute);
	if (found !== undefined) return succeed(found);
	return fail(
		placelessProblem(
			shownPath(absolute, cwd),
			"The folder holds no configuration.",
			`Put one of these into it: ${searched_files.join(", ")}.`,
		),
	);
}

async function searchFolder(folder: string): Promise<string | undefined> {
	for (const name of searched_files) {
		const path = resolve(folder, name);
		const is_file = await stat(path).then(
			(found) => !found.isDirectory(),
			// A file that is there but may not be looked at is found; reading it says why.
			(error: NodeJS.ErrnoException) => error.code !== "ENOENT" && error.code !== "ENOTDIR",
		);
		if (is_file) return path;
	}
	return undefined;
}

/** A path as the user knows it: relative inside the working directory, else absolute. */
export function shownPath(path: string, cwd: string): string {
	const inside = relative(cwd, path);
	return inside === "" || inside.startsWith("..") ? path : inside;
}

/** The project folder of a configuration file: its own, or that of its editor's folder. */
export function projectFolder(path: string): string {
	const folder = dirname(path);
	return [".vscode", ".cursor"].includes(basename(folder)) ? dirname(folder) : folder;
}

/** How a file's text is to be read. */
export function syntaxOf(path: string): "yaml" | "json" {
	return [".yaml", ".yml"].includes(extname(path).toLowerCase()) ? "yaml" : "json";
}
