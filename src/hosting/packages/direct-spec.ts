import { realpath } from "node:fs/promises";
import { basename, delimiter, dirname, join } from "node:path";
import type { StdioSpec } from "../../config/plan.ts";
import type { ProgramEntry } from "./npm-program.ts";
import { pythonOf } from "./python-program.ts";

/** Where an installed program is run. */
export interface DirectPlace {
	readonly folder: string;
	/** The Node that runs scripts. */
	readonly node_path: string;
	/** PATH as the server would have it. */
	readonly path: string | undefined;
}

/** How an installed program is run in place of its launcher. */
export function directSpec(
	program: ProgramEntry,
	place: DirectPlace,
	spec: StdioSpec,
	args: readonly string[],
): StdioSpec {
	const { file, by, node_args, path_prefix } = program;
	const runner = runnerOf(by, place);
	const env =
		path_prefix === undefined
			? spec.env
			: { ...spec.env, PATH: [path_prefix, place.path ?? ""].join(delimiter) };
	return runner === undefined
		? { ...spec, command: file, args: [...args], env }
		: { ...spec, command: runner, args: [...node_args, file, ...args], env };
}

function runnerOf(by: ProgramEntry["by"], place: DirectPlace): string | undefined {
	switch (by) {
		case "node":
			return place.node_path;
		case "python":
			return pythonOf(place.folder);
		case "itself":
		case "name":
			return undefined;
	}
}

/**
 * The folders that a program must be able to read to run at all: its own, and that of what
 * runs it. Interpreters keep their libraries beside the folder they are in.
 */
export async function neededFolders(
	command: string,
	folder: string | undefined,
): Promise<readonly string[]> {
	const program = await realpath(command).catch(() => command);
	const place = dirname(program);
	const is_interpreter = /^(?:node|python|pypy|bun|deno|ruby|php|java)[\d.]*(?:\.exe)?$/u.test(
		basename(program),
	);
	const runtime = is_interpreter && basename(place) === "bin" ? join(place, "..") : place;
	return folder === undefined || place.startsWith(folder) ? [folder ?? runtime] : [folder, runtime];
}
