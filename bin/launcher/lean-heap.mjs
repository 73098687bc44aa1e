// @ts-check
/**
 * How the gateway's own process is started. Node sizes the space for young objects by the
 * machine's memory; a gateway needs little of it for long. It begins with a small one that grows
 * under load only, as far as is said here (src/lib/young-space.ts, docs/benchmarks.md). It is gone
 * through by one thread: there is so little in it that calling others takes longer than they save.
 *
 * V8 also learns which places in the code make objects that live long, and makes them old from the
 * start. What reads a message makes both kinds: those of a catalog stay, those of a call are gone a
 * millisecond later. Made old, they keep everything that they point at until all of the memory is
 * gone through: a quarter of the processor's time went into that (docs/benchmarks.md).
 *
 * And V8 goes through all of the memory once what lies outside of the heap has grown by a
 * fraction of the heap. Long results lie there: two of them are such a fraction of a lean one.
 * With three times the heap, memory at rest stays the same: then all is collected as before.
 *
 * The gateway knows better than V8 when nobody waits, and collects then
 * (src/lib/idle-collection.ts).
 */

/** What each option is told by, and the option. */
const options = /** @type {const} */ ([
	["max-semi-space-size", "--max-semi-space-size=16"],
	["min-semi-space-size", "--min-semi-space-size=2"],
	["parallel-scavenge", "--no-parallel-scavenge"],
	["allocation-site-pretenuring", "--no-allocation-site-pretenuring"],
	["heap-growing-percent", "--heap-growing-percent=200"],
	["expose-gc", "--expose-gc"],
]);

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
	return options.flatMap(([name, option]) =>
		given.some((text) => text.includes(name)) ? [] : [option],
	);
}
