// @ts-check
/** In a checkout: makes node_modules what package-lock.json says before anything runs. */
import { existsSync, readFileSync, renameSync, rmSync } from "node:fs";
import { basename, join } from "node:path";
import { installBeside, readManifest } from "./npm-ci.mjs";

/**
 * @typedef {{ version?: string, integrity?: string, optional?: boolean, link?: boolean }} Locked
 */

/**
 * Installs the dependencies with `npm ci` when node_modules is missing or is not what the lock
 * file says. Two processes that do so at once each install into a folder of their own; the first
 * to finish wins.
 * @param {{ root: string, node: string, environment: NodeJS.ProcessEnv,
 *   say: (line: string) => void }} options
 * @returns {Promise<void>}
 * @throws {import("./npm-ci.mjs").ProvisionError} when npm is missing or fails
 */
export async function provideDependencies({ root, node, environment, say }) {
	const difference = compareInstalled(root);
	if (difference === undefined) return;
	say(`installing the dependencies with npm ci, because ${difference}`);
	const tools = join(root, ".tools");
	const files = readManifest(root);
	const partial = await installBeside({ files, beside: tools, node, environment });
	try {
		if (compareInstalled(root) !== undefined) swap(root, join(partial, "node_modules"), tools);
	} finally {
		rmSync(partial, { recursive: true, force: true });
	}
}

/**
 * What makes the installed packages differ from the lock file, as the end of a sentence, or
 * undefined when they agree. npm records what it installed in node_modules/.package-lock.json.
 * @param {string} root
 * @returns {string | undefined}
 */
export function compareInstalled(root) {
	const record = join(root, "node_modules", ".package-lock.json");
	if (!existsSync(record)) return "node_modules is missing";
	const wanted = readPackages(join(root, "package-lock.json"));
	const installed = readPackages(record);
	for (const [path, locked] of Object.entries(wanted)) {
		if (path === "") continue;
		const found = installed[path];
		// A package for another platform is locked as optional and rightly absent.
		if (found === undefined && locked.optional === true) continue;
		if (found?.version !== locked.version || found?.integrity !== locked.integrity) {
			return `${nameOf(path)} is not installed as package-lock.json says`;
		}
		if (!existsSync(join(root, path))) return `${nameOf(path)} is missing`;
	}
	const extra = Object.keys(installed).find((path) => wanted[path] === undefined);
	return extra === undefined ? undefined : `${nameOf(extra)} is not in package-lock.json`;
}

/**
 * @param {string} file
 * @returns {Record<string, Locked>}
 */
function readPackages(file) {
	return JSON.parse(readFileSync(file, "utf8")).packages ?? {};
}

/**
 * @param {string} path
 * @returns {string}
 */
function nameOf(path) {
	return path.slice(path.lastIndexOf("node_modules/") + "node_modules/".length);
}

/**
 * Puts the new node_modules in the place of the old one, which is moved aside first because a
 * folder cannot be renamed onto another.
 * @param {string} root
 * @param {string} fresh
 * @param {string} tools
 */
function swap(root, fresh, tools) {
	const place = join(root, "node_modules");
	const aside = join(tools, `.partial-old-${process.pid}-${basename(fresh)}`);
	if (existsSync(place)) renameSync(place, aside);
	try {
		renameSync(fresh, place);
	} catch (error) {
		if (compareInstalled(root) !== undefined) throw error;
	} finally {
		rmSync(aside, { recursive: true, force: true });
	}
}
