import type { Environment } from "../lib/environment.ts";

/** The first descriptor that is handed over (sd_listen_fds(3)). */
const first_descriptor = 3;

/**
 * The descriptor of a socket that listens already, which the service manager handed to process
 * `pid`; undefined where there is none. Variables that were meant for another process are not for
 * us: they were inherited.
 */
export function handedSocket(environment: Environment, pid: number): number | undefined {
	const { LISTEN_PID: to, LISTEN_FDS: count } = environment;
	if (to !== String(pid)) return undefined;
	return /^[1-9]\d*$/.test(count ?? "") ? first_descriptor : undefined;
}
