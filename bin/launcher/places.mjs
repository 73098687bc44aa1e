// @ts-check
/** Where things are: the package, its source or bundle, and the folders for fetched tools. */
import { existsSync } from "node:fs";
import { homedir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

/** The folder that holds package.json: a checkout, or the published package. */
export const package_root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));

/**
 * A checkout runs the source and keeps fetched tools in itself; a published package has neither
 * source nor, often, the right to write into its own folder.
 * @param {string} root
 * @returns {boolean}
 */
export function isCheckout(root) {
	return existsSync(join(root, "src"));
}

/**
 * Where fetched tools are kept: git-ignored in a checkout, the user's cache folder otherwise.
 * @param {string} root
 * @param {NodeJS.ProcessEnv} environment
 * @param {NodeJS.Platform} platform
 * @returns {string}
 */
export function toolsFolder(root, environment, platform) {
	if (isCheckout(root)) return join(root, ".tools");
	return join(cacheFolder(environment, platform), "moorage");
}

/**
 * The user's cache folder as each platform names it (XDG base directories on Linux).
 * @param {NodeJS.ProcessEnv} environment
 * @param {NodeJS.Platform} platform
 * @returns {string}
 */
function cacheFolder(environment, platform) {
	if (environment.XDG_CACHE_HOME) return environment.XDG_CACHE_HOME;
	if (platform === "darwin") return join(homedir(), "Library", "Caches");
	if (platform === "win32") {
		return environment.LOCALAPPDATA ?? join(homedir(), "AppData", "Local");
	}
	return join(homedir(), ".cache");
}
