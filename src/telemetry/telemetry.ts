import type { TelemetryPlan } from "../config/telemetry-plan.ts";
import type { Clock, Timer } from "../lib/clock.ts";
import type { CallRecord } from "./call-record.ts";
import type { LineRedactor } from "./line-text.ts";
import type { Log } from "./log.ts";
import { CallMetrics } from "./metrics/call-metrics.ts";
import type { Counter, Family } from "./metrics/instruments.ts";
import { Registry } from "./metrics/registry.ts";
import { encodeMetrics, type Resource } from "./otlp/encode.ts";
import { OtlpExporter } from "./otlp/exporter.ts";
import { keepOf } from "./traces/tail.ts";
import { TraceThread } from "./traces/trace-thread.ts";

/** What telemetry is made of. */
export interface TelemetryOptions {
	readonly clock: Clock;
	readonly log: Log;
	/** Moorage's own version. */
	readonly version: string;
	/** Tells this gateway from others of the same service. */
	readonly instance_id: string;
	/** Takes secrets out of what leaves the machine. */
	readonly redactor: LineRedactor;
}

const close_wait_ms = 2_000;
const log_pause_ms = 60_000;

type Signal = "traces" | "metrics";

/** Metrics of everything, and traces of calls, for whoever scrapes or collects them. */
export class Telemetry {
	readonly registry = new Registry();
	readonly #options: TelemetryOptions;
	readonly #calls: CallMetrics;
	readonly #exported: Family<Counter>;
	readonly #shed: Counter;
	readonly #lost: Family<Counter>;
	readonly #started_ms: number;
	#plan: TelemetryPlan;
	#traces: TraceThread | undefined;
	#metrics: OtlpExporter<Buffer> | undefined;
	#timer: Timer | undefined;
	#told_ms = Number.NEGATIVE_INFINITY;

	constructor(options: TelemetryOptions, plan: TelemetryPlan) {
		this.#options = options;
		this.#plan = plan;
		this.#started_ms = options.clock.now();
		this.#calls = new CallMetrics(this.registry);
		const about = { unit: "1", labels: ["signal"] } as const;
		this.#exported = this.registry.counter({
			...about,
			name: "moorage.telemetry.batches",
			help: "Batches that were handed to the collector, taken or not.",
		});
		this.#lost = this.registry.counter({
			...about,
			name: "moorage.telemetry.lost",
			help: "Traces and metrics that the collector did not take.",
		});
		this.#shed = this.registry
			.counter({
				...{ name: "moorage.telemetry.shed", unit: "1", labels: [] },
				help: "Calls without error whose traces were left out for a collector that is too slow.",
			})
			.get();
		this.#open();
	}

	/** Calls whose traces were lost or left out, and batches of metrics, since the start. */
	get lost(): number {
		const [traces, metrics] = [this.#lost.get("traces"), this.#lost.get("metrics")];
		return traces.value + metrics.value + this.#shed.value;
	}

	/** Which calls become traces; undefined where nobody collects them. */
	get tracing(): TelemetryPlan | undefined {
		return this.#traces === undefined ? undefined : this.#plan;
	}

	/** Takes up a call that is over. */
	take(record: CallRecord): void {
		this.#calls.count(record);
		if (this.#traces === undefined) return;
		const keep = keepOf(record, this.#plan);
		if (keep !== "no") this.#traces.add(record, keep);
	}

	/** Uses other settings; what waits for the old collector is sent there first. */
	use(plan: TelemetryPlan): void {
		if (JSON.stringify(plan) === JSON.stringify(this.#plan)) return;
		void this.#close();
		this.#plan = plan;
		this.#open();
	}

	/** Sends what waits, within bounds. */
	async stop(): Promise<void> {
		if (this.#metrics !== undefined) await this.#collect(this.#metrics);
		await this.#close();
	}

	#open(): void {
		const { otlp } = this.#plan;
		const { clock } = this.#options;
		if (otlp === undefined) return;
		const resource = this.#resource();
		const targetOf = (signal: Signal) => ({
			url: `${otlp.url}/v1/${signal}`,
			headers: otlp.headers,
		});
		if (otlp.traces) {
			this.#traces = new TraceThread({
				clock,
				data: { target: targetOf("traces"), resource },
				redactor: this.#options.redactor,
				onBatches: (batches) => this.#exported.get("traces").add(batches),
				onShed: (calls) => {
					this.#shed.add(calls);
					this.#tellLost("traces", calls, "only those of errors and slow calls still have room");
				},
				onLost: (calls, why) => this.#onLost("traces", calls, why),
			});
		}
		if (otlp.metrics) {
			this.#metrics = new OtlpExporter<Buffer>({
				clock,
				target: targetOf("metrics"),
				onLost: (items, why) => this.#onLost("metrics", items, why),
				queue_max: 4,
				batch_max: 1,
				encode: ([body]) => {
					this.#exported.get("metrics").add();
					return body ?? Buffer.alloc(0);
				},
			});
			this.#collectLater(this.#metrics, otlp.interval_ms);
		}
	}

	#collectLater(exporter: OtlpExporter<Buffer>, interval_ms: number): void {
		this.#timer = this.#options.clock.afterIdle(interval_ms, () => {
			void this.#collect(exporter).then(() => {
				if (this.#metrics === exporter) this.#collectLater(exporter, interval_ms);
			});
		});
	}

	async #collect(exporter: OtlpExporter<Buffer>): Promise<void> {
		const times = { started_ms: this.#started_ms, now_ms: this.#options.clock.now() };
		exporter.add(encodeMetrics(await this.registry.snapshot(), this.#resource(), times));
	}

	async #close(): Promise<void> {
		const [traces, metrics] = [this.#traces, this.#metrics];
		this.#traces = undefined;
		this.#metrics = undefined;
		this.#timer?.cancel();
		await Promise.all([traces?.close(close_wait_ms), metrics?.close(close_wait_ms)]);
	}

	#resource(): Resource {
		const { version, instance_id } = this.#options;
		return {
			attributes: {
				"service.name": this.#plan.service,
				"service.version": version,
				"service.instance.id": instance_id,
			},
			scope: { name: "moorage", version },
		};
	}

	#onLost(signal: Signal, items: number, why: string): void {
		this.#lost.get(signal).add(items);
		this.#tellLost(signal, items, why);
	}

	/** One line a minute says it: a collector that is down must not fill the log. */
	#tellLost(signal: Signal, items: number, why: string): void {
		const now_ms = this.#options.clock.monotonic();
		if (now_ms - this.#told_ms < log_pause_ms) return;
		this.#told_ms = now_ms;
		this.#options.log.warn({ signal, items, why }, "the collector did not take telemetry");
	}
}
