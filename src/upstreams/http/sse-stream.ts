import { fail, type Result, succeed } from "../../lib/result.ts";
import type { Fault } from "../../protocol/fault.ts";
import { SseReader } from "../../wire/sse.ts";
import type { DriverContext } from "../driver.ts";
import type { UpstreamFaults } from "../faults.ts";
import { isUnauthorized } from "./oauth/authorized.ts";
import type { UpstreamAuth } from "./oauth/upstream-auth.ts";
import { networkReason, statusAdvice } from "./reasons.ts";
import type { Exchange, Headers, Remote } from "./remote.ts";

/** What a stream is made of. */
export interface SseStreamOptions {
	readonly remote: Remote;
	/** Names and values in turn, for a request that goes out now. */
	configured(): readonly string[];
	readonly auth: UpstreamAuth | undefined;
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
export class SseStream {
	readonly #options: SseStreamOptions;
	readonly #endpoint = Promise.withResolvers<Result<string, Fault>>();
	#exchange: Exchange | undefined;
	#reader: SseReader | undefined;
	#status = 0;
	#over = false;
	#attempt = 0;
	#token: string | undefined;
	#auth_rounds = 0;

	constructor(options: SseStreamOptions) {
		this.#options = options;
	}

	/** Opens the stream. Resolves with the path that messages are posted to. */
	async open(wait_ms: number): Promise<Result<string, Fault>> {
		const { context, faults } = this.#options;
		const giveUp = () => this.#refuse(faults.notStarted("was not wanted any more"));
		if (context.signal.aborted) giveUp();
		context.signal.addEventListener("abort", giveUp);
		const timer = context.clock.after(wait_ms, () => {
			this.#refuse(faults.notStarted(`sent no endpoint event within ${wait_ms / 1000} s`));
		});
		this.#send();
		const endpoint = await this.#endpoint.promise;
		timer.cancel();
		context.signal.removeEventListener("abort", giveUp);
		return endpoint;
	}

	#send(): void {
		if (this.#over) return;
		const { remote, configured, auth } = this.#options;
		this.#status = 0;
		this.#token = auth?.token;
		const headers = [...configured(), "accept", "text/event-stream"];
		const request = { method: "GET" as const, headers, body: undefined };
		// What still comes of a request that was refused is not of this one.
		const attempt = (this.#attempt += 1);
		const if_current = (then: () => void) => {
			if (attempt === this.#attempt) then();
		};
		this.#exchange = remote.send("control", request, {
			onSent: () => {},
			onHead: (status, heads) => if_current(() => this.#head(status, heads)),
			onData: (chunk) => if_current(() => this.#data(chunk)),
			onEnd: () => if_current(() => this.#broke("closed its event stream")),
			onError: (error) => if_current(() => this.#failed(error)),
		});
	}

	/** Opens the stream once more as soon as we are authorized. */
	async #authorize(auth: UpstreamAuth, status: number, headers: Headers): Promise<void> {
		this.#attempt += 1;
		this.#exchange?.abort();
		const { remote, faults } = this.#options;
		const token = this.#token;
		const outcome = await auth.onRefused({ status, headers, token, rounds: this.#auth_rounds });
		this.#auth_rounds += 1;
		if (outcome.ok && outcome.value === "retry") this.#send();
		else if (outcome.ok) this.#reject(status, headers);
		else this.#refuse(faults.unauthorized(remote.origin, outcome.problem));
	}

	#reject(status: number, headers: Headers): void {
		const { remote, faults } = this.#options;
		const location = headers["location"];
		const advice = statusAdvice(status, typeof location === "string" ? location : undefined);
		this.#refuse(faults.rejected(remote.origin, status, advice));
	}

	/** Closes the stream for good; nobody is told. */
	stop(): void {
		this.#over = true;
		this.#exchange?.abort();
	}

	#head(status: number, headers: Headers): void {
		this.#status = status;
		const { faults, context, auth } = this.#options;
		if (auth !== undefined && isUnauthorized(status)) {
			void this.#authorize(auth, status, headers);
			return;
		}
		if (status !== 200) {
			this.#reject(status, headers);
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

	#data(chunk: Buffer): void {
		if (!this.#over) this.#reader?.push(chunk);
	}

	#failed(error: Error): void {
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
