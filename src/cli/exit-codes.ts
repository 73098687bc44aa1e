/** What a command's exit code means. Stable: scripts depend on it. */
export const exit_codes = {
	ok: 0,
	/** It was tried and did not work. */
	failed: 1,
	/** The command line makes no sense. */
	usage: 2,
	/** The gateway cannot start, or a configuration has mistakes. */
	cannot_start: 3,
	/** No gateway runs with this data folder, or it does not answer. */
	no_gateway: 4,
	/** The tool was called and said that it failed. */
	tool_error: 5,
	/** Stopped by Ctrl-C. */
	interrupted: 130,
} as const;

/** The codes with their meaning, for `--help` and the documentation. */
export const exit_code_meanings: readonly (readonly [number, string])[] = [
	[exit_codes.ok, "it worked"],
	[exit_codes.failed, "it was tried and did not work"],
	[exit_codes.usage, "the command line makes no sense"],
	[exit_codes.cannot_start, "the gateway cannot start, or the configuration has mistakes"],
	[exit_codes.no_gateway, "no gateway runs with this data folder, or it does not answer"],
	[exit_codes.tool_error, "the tool was called and said that it failed"],
	[exit_codes.interrupted, "interrupted"],
];
