// @ts-check
/**
 * Lets another Node take this process's place. Where Node can replace the process it does; where
 * it cannot (before 22.15, and on Windows) a child runs in its stead: it has our standard streams,
 * gets our signals, and its exit is our exit.
 *
 * Should this process be killed with SIGKILL, the child must not live on. So the child holds one
 * end of a pipe whose other end only this process holds; its number is in MOORAGE_PARENT_FD. When
 * that pipe closes, we are gone: see parent-watch.mjs.
 */
import { spawn } from "node:child_process";
import { constants } from "node:os";
import { parent_variable } from "./parent-watch.mjs";

/** Signals that reach the child as they reach us. SIGKILL and SIGSTOP cannot be caught. */
const signals_passed = /** @type {NodeJS.Signals[]} */ (
	["SIGTERM", "SIGINT", "SIGHUP", "SIGQUIT", "SIGUSR1", "SIGUSR2"].filter(
		(name) => process.platform !== "win32" || !name.startsWith("SIGUSR"),
	)
);

/**
 * Signals that a terminal sends to every process in the foreground, so the child has them already.
 */
const signals_of_terminal = new Set(["SIGINT", "SIGQUIT"]);

const parent_descriptor = 3;

/**
 * Runs `program` with `args` in place of this process. Does not return.
 * @param {string} program
 * @param {string[]} args
 * @param {NodeJS.ProcessEnv} environment
 */
export function handOver(program, args, environment) {
	const replace = /** @type {{ execve?: typeof process.execve }} */ (process).execve;
	if (replace !== undefined && process.platform !== "win32") {
		replace.call(process, program, [program, ...args], definedOnly(environment));
	}
	runInStead(program, args, environment);
}

/**
 * @param {string} program
 * @param {string[]} args
 * @param {NodeJS.ProcessEnv} environment
 */
function runInStead(program, args, environment) {
	const child = spawn(program, args, {
		stdio: ["inherit", "inherit", "inherit", "pipe"],
		env: { ...environment, [parent_variable]: String(parent_descriptor) },
		windowsHide: true,
	});
	for (const signal of signals_passed) {
		process.on(signal, () => {
			if (process.stdin.isTTY && signals_of_terminal.has(signal)) return;
			child.kill(signal);
		});
	}
	child.on("error", (error) => {
		process.stderr.write(`moorage: ${program} could not be started: ${error.message}\n`);
		process.exit(1);
	});
	child.on("exit", (code, signal) => endAs(code, signal));
}

/**
 * Ends this process as the child ended.
 * @param {number | null} code
 * @param {NodeJS.Signals | null} signal
 */
function endAs(code, signal) {
	if (signal === null) process.exit(code ?? 1);
	for (const name of signals_passed) process.removeAllListeners(name);
	process.kill(process.pid, signal);
	// A signal that ends the child need not end us (SIGQUIT may be ignored): end in any case.
	setTimeout(() => process.exit(128 + (constants.signals[signal] ?? 0)), 100);
}

/**
 * @param {NodeJS.ProcessEnv} environment
 * @returns {Record<string, string>}
 */
function definedOnly(environment) {
	/** @type {Record<string, string>} */
	const result = {};
	for (const [name, value] of Object.entries(environment)) {
		if (value !== undefined) result[name] = value;
	}
	return result;
}
