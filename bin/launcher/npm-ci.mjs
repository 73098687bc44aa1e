// @ts-check
/**
 * Installs what a lock file names, without ever leaving a half-made folder where somebody looks:
 * npm works in a temporary folder beside the target, and only the finished result is renamed.
 */
import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import {
	existsSync,
	mkdirSync,
	readdirSync,
	readFileSync,
	realpathSync,
	rmSync,
	statSync,
	writeFileSync,
} from "node:fs";
import { basename, delimiter, dirname, join } from "node:path";

/** A leftover of an installation that was killed is swept once it is this old. */
const partial_age_ms_max = 60 * 60 * 1000;

/**
 * Nothing that is installed may run anything, and what the machine's own npm settings would leave
 * out (NODE_ENV=production does) is still needed.
 */
const npm_ci = [
	"ci",
	"--ignore-scripts",
	"--include=dev",
	"--include=optional",
	"--no-audit",
	"--no-fund",
	"--loglevel=error",
];

/** What npm said is kept up to this length, for the error message. */
const output_chars_max = 64 * 1024;

/**
 * The text that is shown when something cannot be provided; its message says what to do next.
 */
export class ProvisionError extends Error {}

/**
 * The files in a folder that say what to install and how, as `installBeside` takes them.
 * @param {string} folder
 * @returns {Record<string, string>}
 */
export function readManifest(folder) {
	const names = ["package.json", "package-lock.json", ".npmrc"];
	const present = names.filter((name) => existsSync(join(folder, name)));
	return Object.fromEntries(
		present.map((name) => [name, readFileSync(join(folder, name), "utf8")]),
	);
}

/**
 * Runs `npm ci` without install scripts in a new temporary folder in `beside`, and returns that
 * folder. The caller moves the result to its place and removes the rest.
 * @param {{ files: Record<string, string>, beside: string, node: string,
 *   environment: NodeJS.ProcessEnv }} options `files` are the package.json, the lock file and the
 *   settings to install from; `node` is the program that runs npm.
 * @returns {Promise<string>}
 * @throws {ProvisionError} when npm is missing or fails
 */
export async function installBeside({ files, beside, node, environment }) {
	mkdirSync(beside, { recursive: true });
	sweepPartials(beside);
	const partial = join(beside, `.partial-${process.pid}-${randomBytes(4).toString("hex")}`);
	mkdirSync(partial);
	try {
		for (const [name, text] of Object.entries(files)) writeFileSync(join(partial, name), text);
		await runNpmCi(partial, node, environment);
		return partial;
	} catch (error) {
		rmSync(partial, { recursive: true, force: true });
		throw error;
	}
}

/**
 * Removes what killed installations left, once it is old enough to belong to nobody.
 * @param {string} folder
 */
function sweepPartials(folder) {
	for (const name of readdirSync(folder)) {
		if (!name.startsWith(".partial-")) continue;
		const path = join(folder, name);
		const made_at_ms = statSync(path, { throwIfNoEntry: false })?.mtimeMs;
		if (made_at_ms !== undefined && Date.now() - made_at_ms > partial_age_ms_max) {
			rmSync(path, { recursive: true, force: true });
		}
	}
}

/**
 * @param {string} folder
 * @param {string} node
 * @param {NodeJS.ProcessEnv} environment
 * @returns {Promise<void>}
 */
function runNpmCi(folder, node, environment) {
	const npm = findNpm(environment);
	if (npm === undefined) {
		return Promise.reject(new ProvisionError("npm is not on the PATH; install npm and try again"));
	}
	const [program, ...args] = npm.endsWith(".js") ? [node, npm] : [npm];
	return new Promise((resolve, reject) => {
		const child = spawn(program, [...args, ...npm_ci], {
			cwd: folder,
			env: npmEnvironment(environment, node),
			stdio: ["ignore", "pipe", "pipe"],
			windowsHide: true,
		});
		let output = "";
		/** @param {Buffer} chunk */
		const keep = (chunk) => {
			output = (output + chunk.toString("utf8")).slice(-output_chars_max);
		};
		child.stdout.on("data", keep);
		child.stderr.on("data", keep);
		const stop = stopWith(child, folder);
		child.on("error", (error) => {
			stop.forget();
			reject(new ProvisionError(`npm could not be started: ${error.message}`));
		});
		child.on("close", (code) => {
			stop.forget();
			if (code === 0) resolve();
			else reject(new ProvisionError(`npm ci failed: ${lastWords(output)}`));
		});
	});
}

/**
 * While npm runs, a signal to this process ends npm, removes the unfinished folder, and then ends
 * this process the way the signal would have.
 * @param {import("node:child_process").ChildProcess} child
 * @param {string} folder
 */
function stopWith(child, folder) {
	/** @type {NodeJS.Signals[]} */
	const signals = ["SIGINT", "SIGTERM", "SIGHUP"];
	/** @param {NodeJS.Signals} signal */
	const stop = (signal) => {
		forget();
		child.removeAllListeners("close");
		child.on("close", () => {
			rmSync(folder, { recursive: true, force: true });
			process.kill(process.pid, signal);
		});
		child.kill("SIGKILL");
	};
	const forget = () => {
		for (const signal of signals) process.removeListener(signal, stop);
	};
	for (const signal of signals) process.on(signal, stop);
	return { forget };
}

/**
 * The npm program, preferably as a JavaScript file that a Node of our choice runs: the one that
 * runs us when we are an npm script, otherwise the first on the PATH.
 * @param {NodeJS.ProcessEnv} environment
 * @returns {string | undefined}
 */
function findNpm(environment) {
	const current = environment.npm_execpath;
	if (current !== undefined && /^np[mx]-cli\.js$/.test(basename(current))) {
		const npm = join(dirname(current), "npm-cli.js");
		if (existsSync(npm)) return npm;
	}
	for (const folder of (environment.PATH ?? environment.Path ?? "").split(delimiter)) {
		if (folder === "") continue;
		const program = join(folder, "npm");
		const beside_program = join(folder, "node_modules", "npm", "bin", "npm-cli.js");
		if (existsSync(beside_program)) return beside_program;
		if (!existsSync(program)) continue;
		return realpathSync(program);
	}
	return undefined;
}

/**
 * npm hands its own settings to the scripts it runs as `npm_` variables. Most must not reach the
 * nested npm (a `--prefix` given to the outer one, say); those that name where packages come from
 * must.
 * @param {NodeJS.ProcessEnv} environment
 * @param {string} node
 * @returns {NodeJS.ProcessEnv}
 */
function npmEnvironment(environment, node) {
	/** @type {NodeJS.ProcessEnv} */
	const result = {};
	for (const [name, value] of Object.entries(environment)) {
		const is_of_script = /^npm_/i.test(name) && !/^npm_config_(?!.*prefix)/i.test(name);
		if (!is_of_script) result[name] = value;
	}
	const path_name = Object.keys(result).find((name) => /^path$/i.test(name)) ?? "PATH";
	result[path_name] = [dirname(node), result[path_name] ?? ""].join(delimiter);
	return result;
}

/**
 * The lines of npm's output that say why, shortened to one line.
 * @param {string} output
 * @returns {string}
 */
function lastWords(output) {
	const lines = output
		.split("\n")
		.map((line) => line.replace(/^npm (error|ERR!) ?/, "").trim())
		.filter((line) => line !== "" && !line.startsWith("A complete log of this run"));
	return lines.slice(0, 4).join("; ").slice(0, 600) || "it said nothing";
}
