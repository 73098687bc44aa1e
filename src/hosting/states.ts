import { assert } from "../lib/assert.ts";

/**
 * What a hosted server, or one of its instances, is doing.
 *
 *   declared -> resolving -> stopped -> starting -> ready <-> frozen -> draining -> stopped
 *                        \-> failed  <-/          \-> failed
 */
export type ServerStateName =
	| "declared" // known from the configuration; its package has not been looked at
	| "resolving" // its package is being found or installed
	| "stopped" // could be started at any time, or waits for its next try
	| "starting" // launched or connecting, the handshake is not answered yet
	| "ready" // usable
	| "frozen" // usable after a wake that costs about a millisecond
	| "draining" // takes no new calls, ends when the last one is answered
	| "failed"; // tried often enough; answers at once with the reason and is retried later

/** From each state, the states that may follow it. Everything else is a defect. */
export const state_transitions: Readonly<Record<ServerStateName, readonly ServerStateName[]>> =
	Object.freeze({
		declared: ["resolving"],
		// A changed configuration makes it `declared` again, whatever it was doing.
		resolving: ["stopped", "failed", "declared"],
		stopped: ["starting", "declared"],
		// A start that is no longer wanted drains: it is told to end and is waited for.
		starting: ["ready", "draining", "stopped", "failed"],
		ready: ["frozen", "draining", "stopped", "failed"],
		frozen: ["ready", "draining", "stopped", "failed"],
		// One that hung is ended like any other; that may have been once too often.
		draining: ["stopped", "failed"],
		failed: ["starting", "resolving", "stopped", "declared"],
	} satisfies Record<ServerStateName, readonly ServerStateName[]>);

/** Whether `to` may follow `from`. */
export function mayFollow(from: ServerStateName, to: ServerStateName): boolean {
	return state_transitions[from].includes(to);
}

/** Returns `to`; a step that the table does not allow is a defect and asserts. */
export function advance<To extends ServerStateName>(from: ServerStateName, to: To): To {
	assert(mayFollow(from, to), `a server cannot go from ${from} to ${to}`);
	return to;
}
