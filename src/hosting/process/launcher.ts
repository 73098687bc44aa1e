import type { CommandLine } from "./containment.ts";

/**
 * What stands in front of a program: it becomes a member of its control groups, and lowers its
 * own limits, before it can start anything.
 */

/** Limits that a process has for itself and hands on; undefined ones are left as they are. */
export interface ProcessLimits {
	/** Largest file it may write; rounded up to the unit of the shell, 512 bytes. */
	readonly file_bytes_max: number | undefined;
	readonly descriptors_max: number | undefined;
}

/**
 * Given to `/bin/sh -c` with everything as parameters: a constant, so that no input is ever
 * read by a shell. First come the limits (`-` for none), then the number of files to write `0`
 * to, the files, and the program. What cannot be lowered below what the machine allows stays as
 * it is: it is lower already. A group that cannot be entered is a reason not to start.
 */
const launch_script =
	'ulimit -c 0; [ "$1" = - ] || ulimit -f "$1"; [ "$2" = - ] || ulimit -n "$2"; n=$3; shift 3; ' +
	'while [ "$n" -gt 0 ]; do echo 0 >"$1" || exit 96; shift; n=$((n - 1)); done; exec "$@"';

const shell_block_bytes = 512;

/** What the launcher does before the program. */
export interface LaunchPlan {
	/** Undefined for our own tools, which need no launcher. */
	readonly process_limits: ProcessLimits | undefined;
	/** Files of control groups through which the program becomes a member. */
	readonly entrances: readonly string[];
}

/** A limit on files as every launcher sets it: as a shell can say it. */
export function fileBytes(bytes_max: number): number {
	return Math.ceil(bytes_max / shell_block_bytes) * shell_block_bytes;
}

/** Puts the launcher in front of a command line. Windows has none of what it does. */
export function launchLine(
	line: CommandLine,
	{ process_limits, entrances }: LaunchPlan,
	platform: NodeJS.Platform,
): CommandLine {
	if (process_limits === undefined || platform === "win32") {
		return line;
	}
	const { file_bytes_max, descriptors_max } = process_limits;
	const blocks =
		file_bytes_max === undefined ? "-" : String(fileBytes(file_bytes_max) / shell_block_bytes);
	return {
		program: "/bin/sh",
		args: [
			"-c",
			launch_script,
			"moorage-launch",
			blocks,
			descriptors_max === undefined ? "-" : String(descriptors_max),
			String(entrances.length),
			...entrances,
			line.program,
			...line.args,
		],
	};
}
