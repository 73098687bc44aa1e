/** What is kept of calls: the call log, the history and the audit. */

/** The call log and the history. */
export interface CallsPlan {
	readonly log_to_file: boolean;
	readonly log_to_stdout: boolean;
	readonly file_bytes_max: number;
	readonly files_max: number;
	readonly history: boolean;
	readonly keep_days: number;
	readonly calls_max: number;
}

/** How long payloads are kept, in days. */
export interface KeepPlan {
	/** Undefined: as everybody's. */
	readonly keep_days: number | undefined;
	/** By class of calls. */
	readonly classes: Readonly<Record<string, number>>;
}

/** The audit. */
export interface AuditPlan {
	readonly mode: "on" | "required" | "off";
	readonly keep_days: number;
	readonly classes: Readonly<Record<string, number>>;
	readonly tenants: Readonly<Record<string, KeepPlan>>;
	readonly payload_bytes_max: number;
}

export const default_calls: CallsPlan = Object.freeze({
	log_to_file: true,
	log_to_stdout: false,
	file_bytes_max: 64 * 1024 ** 2,
	files_max: 8,
	history: true,
	keep_days: 30,
	calls_max: 10_000_000,
});

export const default_audit: AuditPlan = Object.freeze({
	mode: "on",
	keep_days: 30,
	classes: Object.freeze({}),
	tenants: Object.freeze({}),
	payload_bytes_max: 8 * 1024 ** 2,
});
