import type { IncomingMessage, ServerResponse } from "node:http";
import type { Plan } from "../../config/plan.ts";
import { default_telemetry, type TelemetryPlan } from "../../config/telemetry-plan.ts";
import type { TracePropagation } from "../../gateway/context.ts";
import { type LoopWatch, watchEventLoop } from "../../lib/event-loop.ts";
import type { Redactor } from "../../secrets/redactor.ts";
import type { CallRecord } from "../../telemetry/call-record.ts";
import { exposition_type, renderExposition } from "../../telemetry/metrics/exposition.ts";
import type { Counter, Family } from "../../telemetry/metrics/instruments.ts";
import { Telemetry } from "../../telemetry/telemetry.ts";
import { isChosen } from "../../telemetry/traces/tail.ts";
import type { TokenRequest } from "../../upstreams/http/oauth/upstream-auth.ts";
import { observeHouse } from "../house-metrics.ts";
import { product } from "../product.ts";
import type { Wing, WingParts } from "../wings.ts";

/** Metrics for whoever scrapes them, traces and metrics for a collector. */
export class TelemetryWing implements Wing {
	readonly evidence = [{ after: (record: CallRecord) => this.#take(record) }];
	readonly telemetry: Telemetry;
	readonly #redactor: Redactor;
	readonly #loop: LoopWatch;
	readonly #tokens: Family<Counter>;
	#tracing_plan: TelemetryPlan | undefined;
	#tracing: TracePropagation | undefined;

	constructor(parts: WingParts) {
		const { clock, log, random } = parts.options;
		this.#redactor = parts.redactor;
		this.#loop = watchEventLoop();
		this.telemetry = new Telemetry(
			{
				clock,
				log,
				version: product.version,
				instance_id: random.uuid(),
				redactor: this.#redactor,
			},
			parts.plan().telemetry ?? default_telemetry,
		);
		this.#tokens = this.telemetry.registry.counter({
			name: "moorage.upstream.tokens",
			help: "Tokens that were asked for at the authorization servers of remote servers.",
			unit: "1",
			labels: ["server", "grant", "outcome"],
		});
		observeHouse(this.telemetry.registry, { ...parts, clock, loop: this.#loop });
	}

	/** What servers are told of traces. */
	get tracing(): TracePropagation | undefined {
		const plan = this.telemetry.tracing;
		// Every call asks: it is made anew for another plan only.
		if (plan === this.#tracing_plan) return this.#tracing;
		this.#tracing_plan = plan;
		this.#tracing = plan && {
			baggage: plan.baggage,
			keeps: (trace_id) => isChosen(trace_id, plan.ratio),
		};
		return this.#tracing;
	}

	/** Answers a scrape of Prometheus. */
	async serve(_request: IncomingMessage, response: ServerResponse): Promise<void> {
		const text = renderExposition(await this.telemetry.registry.snapshot());
		const bytes = Buffer.from(this.#redactor.text(text));
		response.writeHead(200, {
			"content-type": exposition_type,
			"content-length": bytes.length,
			"cache-control": "no-store",
		});
		response.end(bytes);
	}

	/** Counts a token that was asked for. */
	countToken(server: string, { grant, outcome }: TokenRequest): void {
		this.#tokens.get(server, grant, outcome).add();
	}

	lost(): Readonly<Record<string, number>> {
		return { telemetry: this.telemetry.lost };
	}

	use(plan: Plan): void {
		this.telemetry.use(plan.telemetry ?? default_telemetry);
	}

	async stop(): Promise<void> {
		await this.telemetry.stop();
		this.#loop.stop();
	}

	#take(record: CallRecord): undefined {
		this.telemetry.take(record);
	}
}
