import type { Limits, ServerTimeouts } from "./plan.ts";

/** What holds where a configuration says nothing. */

export const default_listen = "127.0.0.1:8642";

/** Relative to the configuration file's project folder, or to the working directory. */
export const default_data = "./.moorage";

export const default_scope = "shared";

export const default_start = "eager";

export const default_timeouts: ServerTimeouts = Object.freeze({
	start_ms: 60_000,
	call_ms: 300_000,
	stop_ms: 3_000,
});

export const default_limits: Limits = Object.freeze({
	body_bytes_max: 4 * 1024 ** 2,
	header_bytes_max: 16 * 1024,
	reply_bytes_max: 32 * 1024 ** 2,
	requests_in_flight_max: 1024,
	sessions_max: 10_000,
	calls_per_server_max: 256,
	list_wait_ms: 10_000,
	request_read_ms: 30_000,
});

/** The names this machine answers to, at any port. */
export const default_allowed_hosts: readonly string[] = ["localhost", "127.0.0.1", "[::1]"];

/** Pages served from this machine, at any port. */
export const default_allowed_origins: readonly string[] = default_allowed_hosts.map(
	(host) => `http://${host}`,
);

/** Sizes of what is read. */
export const read_limits = {
	/** A configuration file. */
	config_bytes_max: 4 * 1024 ** 2,
	/** A file of environment variables. */
	env_file_bytes_max: 1024 ** 2,
	/** One argument, variable or header once its references are expanded. */
	text_chars_max: 128 * 1024,
} as const;

/** What a limit or timeout may be set to, from least to most. */
export const ranges = {
	duration_ms: [1, 24 * 3_600_000],
	bytes: [1024, 1024 ** 3],
	count: [1, 1_000_000],
} as const;
