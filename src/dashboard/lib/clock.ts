/** Time in the browser: the one place of the dashboard that reads clocks and sets timers. */

/** Milliseconds since the epoch. */
export function now(): number {
	return Date.now();
}

/** Calls `fn` once after `delay_ms`; the returned function keeps it from that. */
export function later(delay_ms: number, fn: () => void): () => void {
	const handle = setTimeout(fn, delay_ms);
	return () => clearTimeout(handle);
}

/** Calls `fn` again and again; the returned function ends that. */
export function every(period_ms: number, fn: () => void): () => void {
	const handle = setInterval(fn, period_ms);
	return () => clearInterval(handle);
}
