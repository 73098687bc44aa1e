/** Where traces and metrics go, and which calls become traces. */
export interface TelemetryPlan {
	/** `service.name` of everything that is sent. */
	readonly service: string;
	/** Undefined: nothing leaves the machine. */
	readonly otlp: OtlpPlan | undefined;
	/** Share of the calls that nothing is wrong with, 0 to 1. */
	readonly ratio: number;
	readonly slow_ms: number;
	/** Keys of baggage that servers are told. */
	readonly baggage: readonly string[];
}

/** A collector that speaks OTLP over HTTP. */
export interface OtlpPlan {
	/** Without a slash at the end; `/v1/traces` and `/v1/metrics` are below it. */
	readonly url: string;
	readonly headers: Readonly<Record<string, string>>;
	readonly traces: boolean;
	readonly metrics: boolean;
	readonly interval_ms: number;
}

/** Without `telemetry` in the configuration. */
export const default_telemetry: TelemetryPlan = {
	service: "moorage",
	otlp: undefined,
	ratio: 1,
	slow_ms: 1_000,
	baggage: [],
};
