/**
 * Calls `fn` once when the input that has arrived so far has been handled: after the sockets
 * that are readable now, before the loop waits again. Work that many inputs ask for in one
 * turn is done once (libuv's check phase; a microtask would run between two sockets).
 */
export function atEndOfTurn(fn: () => void): void {
	setImmediate(fn);
}

/** Calls `fn` once when what this turn gathered is on its way, and what came since is handled. */
export function afterTurn(fn: () => void): void {
	setImmediate(() => setImmediate(fn));
}
