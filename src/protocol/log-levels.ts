/** Log levels from quietest to loudest (RFC 5424, as MCP logging uses them). */
export const log_levels: readonly string[] = [
	"debug",
	"info",
	"notice",
	"warning",
	"error",
	"critical",
	"alert",
	"emergency",
];

/**
 * Whether a message of `level` passes a client's wish. A client that never asked for a level
 * gets everything; a level nobody knows is passed rather than lost.
 */
export function isLoudEnough(level: string | undefined, wanted: string | undefined): boolean {
	if (wanted === undefined || level === undefined) return true;
	const rank = log_levels.indexOf(level);
	return rank < 0 || rank >= log_levels.indexOf(wanted);
}
