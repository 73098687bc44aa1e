/**
 * The rules of alerts as data: those that every gateway has from its first start, and what a
 * configuration may make of them. What they mean stands in `alerts/`.
 */

/** What a rule looks at. */
export type RuleMetric =
	/** Share of calls that end in an error of the server or a timeout. */
	| "error_rate"
	/** The time that 99 of 100 calls stay below, as a multiple of what is usual. */
	| "p99"
	/** Calls, as a multiple of what is usual. Never an absolute number. */
	| "calls"
	/** Refused credentials and refused calls, as a multiple of what is usual. */
	| "denied"
	/** Calls of something that is not offered. */
	| "unknown_tool"
	/** A server that cannot be started or ends again and again. */
	| "crash_loop"
	/** A tool that is described otherwise than before. */
	| "drift"
	/** A key, secret or grant that is about to expire. */
	| "expiry"
	/** Share of the disk that is in use. */
	| "disk"
	/** Lines, entries or spans that could not be kept. */
	| "evidence_lost";

/** What each alert of a rule is about. */
export type RuleSubject = "tool" | "tenant" | "endpoint" | "server" | "gateway";

/** How bad an alert of a rule is. */
export type Severity = "info" | "warning" | "critical";

/** One rule, every number filled in. */
export interface RulePlan {
	readonly name: string;
	readonly metric: RuleMetric;
	readonly by: RuleSubject;
	/** A share (0.02), a multiple of the baseline (3) or a count, as the metric has it. */
	readonly over: number;
	/** The window that is looked at. */
	readonly within_ms: number;
	/** Fewer than this in the window say nothing. */
	readonly min_count: number;
	/** How far back what is usual reaches; 0 for rules that compare with nothing. */
	readonly baseline_ms: number;
	/** How long it must hold before the alert fires. */
	readonly for_ms: number;
	/** How long it must not hold any more before the alert is resolved. */
	readonly clear_ms: number;
	readonly severity: Severity;
}

const minute_ms = 60_000;
const hour_ms = 60 * minute_ms;
const day_ms = 24 * hour_ms;

/** Metrics whose `over` is a share of 1, written as `2%`. */
export const share_metrics: ReadonlySet<RuleMetric> = new Set(["error_rate", "disk"]);
/** Metrics whose `over` is a multiple of a baseline, written as `3x`. */
export const baseline_metrics: ReadonlySet<RuleMetric> = new Set(["p99", "calls", "denied"]);
/** Metrics that rules of one's own may look at, and what those may be about. */
export const custom_metrics: Readonly<Partial<Record<RuleMetric, readonly RuleSubject[]>>> = {
	error_rate: ["tool", "tenant"],
	p99: ["tool"],
	calls: ["tool", "tenant"],
	denied: ["tenant"],
	unknown_tool: ["endpoint"],
};

const windowed = { within_ms: 5 * minute_ms, baseline_ms: 0, for_ms: 0, clear_ms: 5 * minute_ms };
const event = { ...windowed, over: 0, min_count: 1, clear_ms: 0 };

/** On from the first start. */
export const built_in_rules: readonly RulePlan[] = [
	{
		...windowed,
		name: "tool_error_rate",
		metric: "error_rate",
		by: "tool",
		over: 0.02,
		min_count: 20,
		severity: "warning",
	},
	{
		...windowed,
		name: "tool_latency",
		metric: "p99",
		by: "tool",
		over: 3,
		min_count: 50,
		baseline_ms: day_ms,
		for_ms: minute_ms,
		severity: "warning",
	},
	{
		...windowed,
		name: "tenant_rate",
		metric: "calls",
		by: "tenant",
		over: 10,
		within_ms: 10 * minute_ms,
		min_count: 100,
		baseline_ms: 7 * day_ms,
		severity: "warning",
	},
	{ ...event, name: "unknown_tool", metric: "unknown_tool", by: "endpoint", severity: "warning" },
	{
		...windowed,
		name: "failed_authorizations",
		metric: "denied",
		by: "tenant",
		over: 5,
		min_count: 10,
		baseline_ms: day_ms,
		severity: "warning",
	},
	{
		...event,
		name: "crash_loop",
		metric: "crash_loop",
		by: "server",
		// While it is tried again it has not failed, and then it has once more.
		clear_ms: 10 * minute_ms,
		severity: "critical",
	},
	{
		...event,
		name: "tool_drift",
		metric: "drift",
		by: "server",
		within_ms: hour_ms,
		severity: "warning",
	},
	{
		...event,
		name: "about_to_expire",
		metric: "expiry",
		by: "gateway",
		within_ms: 7 * day_ms,
		severity: "warning",
	},
	{
		...event,
		name: "disk_nearly_full",
		metric: "disk",
		by: "gateway",
		over: 0.9,
		severity: "critical",
	},
	{ ...event, name: "evidence_lost", metric: "evidence_lost", by: "gateway", severity: "critical" },
];

/** Where alerts are told. */
export type ChannelPlan =
	| { readonly kind: "webhook"; readonly id: string; readonly url: string; readonly secret: string }
	| { readonly kind: "slack"; readonly id: string; readonly url: string }
	| {
			readonly kind: "email";
			readonly id: string;
			/** `smtp://user:password@host:port` or `smtps://…`. */
			readonly server: string;
			readonly from: string;
			readonly to: readonly string[];
	  };

/** Everything about alerts. */
export interface AlertsPlan {
	readonly rules: readonly RulePlan[];
	readonly channels: readonly ChannelPlan[];
	/** How often people are reminded of an alert that goes on; undefined: never. */
	readonly repeat_ms: number | undefined;
}

/** Without `alerts` in the configuration. */
export const default_alerts: AlertsPlan = {
	rules: built_in_rules,
	channels: [],
	repeat_ms: 4 * hour_ms,
};
