import type {
	HealthPlan,
	IdlePlan,
	InstancesPlan,
	Limits,
	PackagePlan,
	ReleasePlan,
	ResourcePlan,
	ServerTimeouts,
} from "./plan.ts";

/** What holds where a configuration says nothing. */

export const default_listen = "127.0.0.1:8642";

/** Relative to the configuration file's project folder, or to the working directory. */
export const default_data = "./.moorage";

/** Who shares an instance: everyone is one person without identity, and nobody is with it. */
export const default_scope = { without_identity: "shared", with_identity: "user" } as const;

export const default_start = "eager";

export const default_timeouts: ServerTimeouts = Object.freeze({
	start_ms: 60_000,
	call_ms: 300_000,
	stop_ms: 3_000,
});

export const default_instances: InstancesPlan = Object.freeze({
	concurrency_max: undefined,
	replicas: 1,
	instances_max: 64,
	queue_calls_max: 256,
	queue_wait_ms: 60_000,
});

export const default_idle: IdlePlan = Object.freeze({
	keep: "on-demand",
	freeze_ms: 30_000,
	reclaim_ms: 5 * 60_000,
	stop_ms: 15 * 60_000,
	warm_at: Object.freeze([]),
	warm_on_list: false,
});

export const default_resources: ResourcePlan = Object.freeze({
	memory_bytes_max: 1024 ** 3,
	processes_max: 256,
	cpus_max: undefined,
	file_bytes_max: 1024 ** 3,
	descriptors_max: 4096,
	disk_bytes_max: 4 * 1024 ** 3,
	required: false,
});

export const default_health: HealthPlan = Object.freeze({ ping_ms: 60_000, fails_max: 3 });

export const default_packages: PackagePlan = Object.freeze({
	scripts: Object.freeze([]),
	bundle: false,
});

export const default_release: ReleasePlan = Object.freeze({
	version: undefined,
	percent: 100,
	errors_percent_max: 5,
	watch_ms: 0,
});

/** How long a new version with a share is watched where nothing else is said. */
export const release_watch_ms = 600_000;

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
	/** What an instance may use up. */
	resource_bytes: [1024, 1024 ** 5],
	count: [1, 1_000_000],
} as const;
