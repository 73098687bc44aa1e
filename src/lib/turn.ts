/**
 * Calls `fn` once when the input that has arrived so far has been handled: after the sockets
 * that are readable now, before the loop waits again. Work that many inputs ask for in one
 * turn is done once (libuv's check phase; a microtask would run between two sockets).
 */
export function atEndOfTurn(fn: () => void): void {
	setImmediate(fn);
}
