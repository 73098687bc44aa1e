// @ts-check
/**
 * How the gateway's own process is started. Node sizes the space for young objects by the
 * machine's memory; a gateway needs little of it for long. With a small one it takes tens of
 * megabytes less, and its pauses are shorter, at the same speed (docs/benchmarks.md).
 */

const flag = "--max-semi-space-size";
const semi_space_mb = 4;

/** Words on the command line that start the gateway: `moorage up`, `npm start`. */
const gateway_commands = new Set(["up", "start"]);

/**
 * The options Node is to be started with for this command line, beyond those it has.
 * @param {{ argv: string[], execArgv: string[], env: NodeJS.ProcessEnv }} process
 * @returns {string[]}
 */
export function heapOptions({ argv, execArgv, env }) {
	const words = argv.slice(2);
	if (!words.some((word) => gateway_commands.has(word))) return [];
	const given = [...execArgv, env["NODE_OPTIONS"] ?? ""];
	if (given.some((text) => text.includes(flag))) return [];
	return [`${flag}=${semi_space_mb}`];
}
