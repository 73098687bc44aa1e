// @ts-check
/** What bin/moorage does: provide a Node and the dependencies, then run the program itself. */
import { provideDependencies } from "./dependencies.mjs";
import { handOver } from "./hand-over.mjs";
import { heapOptions } from "./lean-heap.mjs";
import { findNode24, searchHere } from "./node24.mjs";
import { ProvisionError } from "./npm-ci.mjs";
import { watchParent } from "./parent-watch.mjs";
import { isCheckout, package_root } from "./places.mjs";

/** Runs the command line in a Node that is new enough, this one if it is. */
export async function launchMoorage() {
	await withNode24(package_root, () => import("./start.mjs"));
}

/**
 * Calls `run` when this Node is new enough and started as it should be, with the dependencies in
 * place; otherwise starts the same command again in one that is. A failure to provide either
 * ends the process with status 1.
 * @param {string} root
 * @param {() => Promise<unknown>} run
 */
export async function withNode24(root, run) {
	// Stopping as SIGTERM would is what every command already knows how to do.
	watchParent(process.env, () => process.kill(process.pid, "SIGTERM"));
	try {
		const search = searchHere(root);
		const node = await findNode24(search);
		if (isCheckout(root)) {
			await provideDependencies({ root, node, environment: process.env, say: search.say });
		}
		const options = heapOptions(process);
		const same = node === process.execPath;
		// Options of this Node need not mean anything to another one.
		const given = same ? process.execArgv : [];
		if (same && (options.length === 0 || !canReplace())) await run();
		else handOver(node, [...options, ...given, ...process.argv.slice(1)], process.env);
	} catch (error) {
		if (!(error instanceof ProvisionError)) throw error;
		process.stderr.write(`moorage: ${error.message}\n`);
		process.exitCode = 1;
	}
}

/** Whether another process can take this one's place, which costs next to nothing. */
function canReplace() {
	return "execve" in process && process.platform !== "win32";
}
