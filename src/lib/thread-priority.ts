import { readlinkSync } from "node:fs";
import { setPriority } from "node:os";

/** Linux tells here which thread reads it: `PID/task/TID`. */
const own_thread = "/proc/thread-self";

/**
 * Lets the other threads of the machine go before the one that calls this, by so much as `nice`
 * says (1 to 19). Where the system has no priorities of threads, nothing happens.
 */
export function yieldToOthers(nice: number): void {
	try {
		setPriority(Number(readlinkSync(own_thread).split("/").at(-1)), nice);
	} catch {
		// It runs like the others then.
	}
}
