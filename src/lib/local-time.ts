/** How far the machine's local time is ahead of UTC at a moment, in milliseconds. */
export function localOffset(at_ms: number): number {
	return -60_000 * new Date(at_ms).getTimezoneOffset();
}
