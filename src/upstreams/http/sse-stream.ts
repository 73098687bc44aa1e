import { fail, type Result, succeed } from "../../lib/result.ts";
import type { Fault } from "../../protocol/fault.ts";
import { SseReader } from "../../wire/sse.ts";
import type { DriverContext } from "../driver.ts";
import type { UpstreamFaults } from "../faults.ts";
import { networkReason, statusAdvice } from "./reasons.ts";
import type { Exchange, ExchangeHandler, Headers, Remote } from "./remote.ts";

/** What a stream is made of. */
export interface SseStreamOptions {
	readonly remote: Remote;
	/** Names and values in turn. */
	readonly configured: readonly string[];
	readonly context: DriverContext;
	readonly faults: UpstreamFaults;
	onMessage(data: Buffer): void;
	/** An event was longer than the limit and is lost. */
	onOversize(): void;
	/** The stream is over, though it was not stopped; `reason` continues "it ...". */
	onBroken(stream: SseStream, reason: string): void;
}

/**
 * The one stream of an HTTP+SSE connection (transports, 2024-11-05): its first event says
 * where messages are posted to, everything behind it is what the server sends.
 */
export class SseStream implements ExchangeHandler {
	readonly #options: SseStreamOptions;
	readonly #endpoint = Promise.withResolvers<Result<string, Fault>>();
	#exchange: Exchange | undefined;
	#reader: SseReader | undefined;
	#status = 0;
	#over = false;

	constructor(options: SseStreamOptions) {
		this.#options = options;
	}

	/** Opens the stream. Resolves with the path that messages are posted to. */
	async open(wait_ms: number): Promise<Result<string, Fault>> {
		const { remote, configured, context, faults } = this.#options;
		const giveUp = () => this.#refuse(faults.notStarted("was not wanted any more"));
		if (context.signal.aborted) giveUp();
		context.signal.addEventListener("abort", giveUp);
		const timer = context.clock.after(wait_ms, () => {
			this.#refuse(faults.notStarted(`sent no endpoint event within ${wait_ms / 1000} s`));
		});
		const headers = [...configured, "accept", "text/event-stream"];
		const request = { method: "GET" as const, headers, body: undefined };
		if (!this.#over) this.#exchange = remote.send("control", request, this);
		const endpoint = await this.#endpoint.promise;
		timer.cancel();
		context.signal.removeEventListener("abort", giveUp);
		return endpoint;
	}

	/** Closes the stream for good; nobody is told. */
	stop(): void {
		this.#over = true;
		this.#exchange?.abort();
	}

	onSent(): void {}

	onHead(status: number, headers: Headers): void {
		this.#status = status;
		const { remote, faults, context } = this.#options;
		if (status !== 200) {
			const location = headers["location"];
			const advice = statusAdvice(status, typeof location === "string" ? location : undefined);
			this.#refuse(faults.rejected(remote.origin, status, advice));
			return;
		}
		if (!String(headers["content-type"] ?? "").startsWith("text/event-stream")) {
			this.#refuse(faults.protocol("answered without an event stream"));
			return;
		}
		this.#reader = new SseReader({
			event_bytes_max: context.reply_bytes_max,
			onEvent: ({ event, data }) => this.#onEvent(event, data),
			onRetry: () => {},
			onOversize: () => this.#options.onOversize(),
		});
	}

	onData(chunk: Buffer): void {
		if (!this.#over) this.#reader?.push(chunk);
	}

	onEnd(): void {
		this.#broke("closed its event stream");
	}

	onError(error: Error): void {
		const { remote, faults } = this.#options;
		if (this.#status === 0) this.#refuse(faults.unreachable(remote.origin, networkReason(error)));
		else this.#broke("broke its event stream");
	}

	#onEvent(event: string, data: Buffer): void {
		if (this.#over) return;
		if (event === "endpoint") this.#located(data.toString("utf8").trim());
		else if (event === "message" && data.length > 0) this.#options.onMessage(data);
	}

	/** Credentials are sent there: it must not lead to another host. */
	#located(text: string): void {
		const { remote, faults } = this.#options;
		const url = URL.parse(text, remote.address);
		if (url === null || url.origin !== remote.origin) {
			this.#refuse(faults.protocol("names an endpoint for messages at another origin"));
			return;
		}
		this.#endpoint.resolve(succeed(`${url.pathname}${url.search}`));
	}

	#refuse(fault: Fault): void {
		this.#endpoint.resolve(fail(fault));
		this.stop();
	}

	#broke(reason: string): void {
		if (this.#over) return;
		this.#over = true;
		this.#endpoint.resolve(fail(this.#options.faults.notStarted(reason)));
		this.#options.onBroken(this, reason);
	}
}
