import type { Dispatcher } from "undici";
import type { Clock, Timer } from "../../lib/clock.ts";
import { HttpAgent } from "../../lib/http-agent.ts";
import { rejectedItems } from "./partial-success.ts";

/** Where signals go: a collector that speaks OTLP over HTTP with protobuf bodies. */
export interface ExportTarget {
	/** The whole address, `https://collector.example/v1/traces`. */
	readonly url: string;
	readonly headers: Readonly<Record<string, string>>;
}

/** What an exporter is made of. */
export interface ExporterOptions<Item> {
	readonly target: ExportTarget;
	readonly clock: Clock;
	encode(items: readonly Item[]): Buffer;
	/** Called when items are given up, with why. Must not throw. */
	onLost(items: number, why: string): void;
	/** Most items that wait; 4,096 unless given. What comes later is lost, and counted. */
	readonly queue_max?: number;
	readonly batch_max?: number;
	/** How long the first item waits for company. */
	readonly delay_ms?: number;
	readonly timeout_ms?: number;
	readonly tries_max?: number;
	readonly retry_ms?: number;
}

const defaults = {
	queue_max: 4_096,
	batch_max: 256,
	delay_ms: 1_000,
	timeout_ms: 10_000,
	tries_max: 5,
	retry_ms: 1_000,
};
const retry_ms_max = 30_000;
/** Statuses that the specification says to try again after (OTLP 1.x, retryable response codes). */
const passing_statuses: ReadonlySet<number> = new Set([429, 502, 503, 504]);
const reply_bytes_max = 64 * 1024;

/** A page to log in, for example, comes with a status that says that all is well. */
const not_a_collector = "what answered is no OTLP collector; check the address";

type Outcome =
	| { readonly kind: "taken"; readonly rejected: number }
	| { readonly kind: "refused"; readonly why: string }
	| { readonly kind: "later"; readonly why: string; readonly after_ms: number | undefined };

/**
 * Sends items to a collector in batches. Adding never waits and never throws, whatever the
 * collector does: what cannot be kept until it takes it is counted and given up.
 */
export class OtlpExporter<Item> {
	readonly #options: Required<ExporterOptions<Item>>;
	readonly #agent: HttpAgent;
	readonly #closing = new AbortController();
	#queue: Item[] = [];
	#timer: Timer | undefined;
	#sending: Promise<void> | undefined;
	#exported = 0;
	#lost = 0;

	constructor(options: ExporterOptions<Item>) {
		this.#options = { ...defaults, ...options };
		const { timeout_ms } = this.#options;
		this.#agent = new HttpAgent({ connections: 1, connect: { timeout: timeout_ms } });
	}

	/** Items the collector has taken, and items that were given up. */
	get counts(): { readonly exported: number; readonly lost: number; readonly waiting: number } {
		return { exported: this.#exported, lost: this.#lost, waiting: this.#queue.length };
	}

	add(item: Item): void {
		const { queue_max, batch_max, delay_ms, clock } = this.#options;
		if (this.#queue.length >= queue_max) {
			this.#lose(1, "too much waits for the collector");
			return;
		}
		this.#queue.push(item);
		if (this.#sending !== undefined) return;
		if (this.#queue.length >= batch_max) this.#start();
		else this.#timer ??= clock.afterIdle(delay_ms, () => this.#start());
	}

	/** Sends what waits now; resolves when it was taken or given up. */
	async flush(): Promise<void> {
		while (this.#queue.length > 0 || this.#sending !== undefined) {
			this.#start();
			await this.#sending;
		}
	}

	/** Sends what waits as far as this much time allows, and ends. */
	async close(wait_ms: number): Promise<void> {
		const timer = this.#options.clock.after(wait_ms, () => this.#closing.abort());
		await this.flush();
		timer.cancel();
		this.#closing.abort();
		await this.#agent.close();
	}

	#start(): void {
		this.#timer?.cancel();
		this.#timer = undefined;
		if (this.#sending !== undefined || this.#queue.length === 0) return;
		this.#sending = this.#sendBatch().finally(() => {
			this.#sending = undefined;
			const { batch_max, delay_ms, clock } = this.#options;
			if (this.#queue.length >= batch_max) this.#start();
			else if (this.#queue.length > 0) {
				this.#timer ??= clock.afterIdle(delay_ms, () => this.#start());
			}
		});
	}

	async #sendBatch(): Promise<void> {
		const { batch_max, tries_max, retry_ms, encode } = this.#options;
		const batch = this.#queue.slice(0, batch_max);
		this.#queue = this.#queue.slice(batch_max);
		const body = encode(batch);
		let pause_ms = retry_ms;
		for (let tries = 1; ; tries += 1) {
			const outcome = await this.#post(body);
			if (outcome.kind === "taken") {
				this.#exported += batch.length - Math.min(batch.length, outcome.rejected);
				if (outcome.rejected > 0) this.#lose(outcome.rejected, "the collector rejected them");
				return;
			}
			const over = outcome.kind === "refused" || tries >= tries_max;
			if (over || this.#closing.signal.aborted) return this.#lose(batch.length, outcome.why);
			await this.#pause(Math.min(outcome.after_ms ?? pause_ms, retry_ms_max));
			pause_ms = Math.min(2 * pause_ms, retry_ms_max);
		}
	}

	async #post(body: Buffer): Promise<Outcome> {
		const { target, timeout_ms, clock } = this.#options;
		const limit = new AbortController();
		const timer = clock.afterIdle(timeout_ms, () => limit.abort());
		try {
			const response = await this.#agent.request(target.url, {
				method: "POST",
				headers: { ...target.headers, "content-type": "application/x-protobuf" },
				body,
				signal: AbortSignal.any([limit.signal, this.#closing.signal]),
			});
			return await outcomeOf(response);
		} catch (error) {
			const { code, message } = error as NodeJS.ErrnoException;
			const why = limit.signal.aborted ? "it did not answer in time" : (code ?? message);
			return { kind: "later", why, after_ms: undefined };
		} finally {
			timer.cancel();
		}
	}

	#pause(wait_ms: number): Promise<void> {
		return new Promise((resolve) => {
			const { signal } = this.#closing;
			// One that stayed behind each pause would be kept until the end.
			const stop = () => {
				timer.cancel();
				signal.removeEventListener("abort", stop);
				resolve();
			};
			const timer = this.#options.clock.afterIdle(wait_ms, stop);
			signal.addEventListener("abort", stop, { once: true });
		});
	}

	#lose(items: number, why: string): void {
		this.#lost += items;
		this.#options.onLost(items, why);
	}
}

async function outcomeOf(response: Dispatcher.ResponseData): Promise<Outcome> {
	const { statusCode: status, headers, body } = response;
	if (status >= 200 && status < 300) {
		let bytes = Buffer.alloc(0);
		for await (const chunk of body) {
			bytes = Buffer.concat([bytes, chunk as Buffer]);
			// Whatever comes behind it is no reply of a collector; leaving it ends the connection.
			if (bytes.length >= reply_bytes_max) break;
		}
		const rejected = bytes.length < reply_bytes_max ? rejectedItems(bytes) : undefined;
		return rejected === undefined
			? { kind: "refused", why: not_a_collector }
			: { kind: "taken", rejected };
	}
	await body.dump();
	const why = `it answered with HTTP status ${status}`;
	if (!passing_statuses.has(status)) return { kind: "refused", why };
	const after_s = Number(headers["retry-after"]);
	return { kind: "later", why, after_ms: after_s > 0 ? after_s * 1000 : undefined };
}
