import { createHash } from "node:crypto";
import { access, readFile, writeFile } from "node:fs/promises";
import { delimiter, join } from "node:path";
import type { StdioSpec } from "../../config/plan.ts";
import type { PackageRequest } from "./request.ts";

/**
 * What is known of an installed package, kept beside it as `resolved.json`. Once that file is
 * there, running the package is reading a file: no network, no launcher, no lock.
 */
export interface Installed {
	/** Raised when the shape changes; others are installed again. */
	readonly format: 1;
	/** The request as one line, for people who look into the folder. */
	readonly request: string;
	/** The version found, e.g. `2026.8.31`. */
	readonly version: string;
	/** The program to start: a path, or `{node}` for the Node that runs the gateway. */
	readonly entry: string;
	/** Arguments in front of the server's own. */
	readonly args_prefix: readonly string[];
	/** Put in front of PATH; undefined when the server needs none of the package's programs. */
	readonly path_prefix?: string | undefined;
	/** Packages whose install scripts were left out; they may lack a native part. */
	readonly scripts_skipped: readonly string[];
}

/** Stands for the folder in the fields above, so that the data folder can be moved. */
export const folder_token = "{folder}";
/** Stands for the Node that runs the gateway, which an upgrade replaces. */
export const node_token = "{node}";

const file_name = "resolved.json";
const hash_length = 10;
const name_length_max = 80;

/** A request as one line: equal for requests that are the same in everything but arguments. */
export function describeRequest(request: PackageRequest): string {
	const { ecosystem, packages, program, options } = request;
	return JSON.stringify([ecosystem, packages, program ?? null, options]);
}

/**
 * The folder's name: readable, safe on every file system, and different for every request.
 * `surroundings` is what else decides what gets installed, such as the registry in use.
 */
export function folderName(request: PackageRequest, surroundings: string): string {
	const hash = createHash("sha256")
		.update(`${describeRequest(request)}\0${surroundings}`)
		.digest("hex")
		.slice(0, hash_length);
	const readable = (request.packages[0] ?? "")
		.replace(/^@/u, "")
		.replace(/[^A-Za-z0-9._@-]+/gu, "+")
		.slice(0, name_length_max);
	return `${readable}-${hash}`;
}

/** Writes what is known of an installation; the last step before it counts as one. */
export async function writeInstalled(folder: string, installed: Installed): Promise<void> {
	const text = `${JSON.stringify(installed, undefined, "\t")}\n`;
	await writeFile(join(folder, file_name), text);
}

/** Reads an installation; undefined when there is none, or it is damaged or of an old form. */
export async function readInstalled(folder: string): Promise<Installed | undefined> {
	try {
		const value = JSON.parse(await readFile(join(folder, file_name), "utf8")) as Installed;
		const valid =
			value.format === 1 &&
			typeof value.entry === "string" &&
			typeof value.version === "string" &&
			Array.isArray(value.args_prefix) &&
			Array.isArray(value.scripts_skipped);
		if (!valid) {
			return undefined;
		}
		// Somebody may have tidied up inside the folder.
		const paths = [value.entry, ...value.args_prefix].filter((part) =>
			part.startsWith(folder_token),
		);
		await Promise.all(paths.map((path) => access(path.replace(folder_token, folder))));
		return value;
	} catch {
		return undefined;
	}
}

/** How the installed program is run in place of its launcher. */
export function installedSpec(
	installed: Installed,
	place: {
		readonly folder: string;
		readonly node_path: string;
		/** PATH as the server would have it. */
		readonly path: string | undefined;
	},
	spec: StdioSpec,
	args: readonly string[],
): StdioSpec {
	const expand = (text: string) =>
		text === node_token ? place.node_path : text.replace(folder_token, place.folder);
	const added = installed.path_prefix;
	return {
		...spec,
		command: expand(installed.entry),
		args: [...installed.args_prefix.map(expand), ...args],
		env:
			added === undefined
				? spec.env
				: { ...spec.env, PATH: [expand(added), place.path ?? ""].join(delimiter) },
	};
}
