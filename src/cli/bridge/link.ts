import type { Dispatcher } from "undici";
import { type Clock, sleep } from "../../lib/clock.ts";
import { HttpAgent } from "../../lib/http-agent.ts";
import { fail, type Result, succeed } from "../../lib/result.ts";
import { indexMessage } from "../../wire/index-message.ts";
import { readJson } from "../../wire/object.ts";

/** How the link finds the gateway. */
export interface LinkOptions {
	readonly clock: Clock;
	/**
	 * The endpoint's address; undefined while no gateway runs.
	 * @param fresh true when the address given before has not worked
	 */
	locate(fresh: boolean): Promise<string | undefined>;
	/** API key that is sent with every request, where the gateway wants to know who calls. */
	readonly key?: string | undefined;
}

/** One HTTP request to the endpoint. */
export interface LinkRequest {
	readonly method: "POST" | "GET" | "DELETE";
	readonly headers: Readonly<Record<string, string>>;
	readonly body?: Buffer;
	readonly signal: AbortSignal;
	/** True when it may be sent again though the gateway may have seen it. */
	readonly repeatable: boolean;
}

/** Why there is no response. */
export interface LinkProblem {
	/** `absent`: no gateway took it. `lost`: one took it and went away. */
	readonly kind: "absent" | "lost" | "aborted";
	readonly detail: string;
}

/** A response; its body is still to be read, except where it had to be looked at. */
export interface LinkResponse {
	readonly status: number;
	readonly headers: Dispatcher.ResponseData["headers"];
	readonly body: AsyncIterable<Buffer>;
}

/** A response, or why there is none. */
export type LinkOutcome = Result<LinkResponse, LinkProblem>;

/** A gateway that restarts is back well within this. */
const patience_ms = 60_000;
const pause_first_ms = 50;
const pause_max_ms = 2_000;
const connect_ms = 5_000;

/**
 * Sends requests to wherever the endpoint is now. A request that no gateway has accepted is
 * sent again until one does, so a restart of the gateway goes unnoticed.
 */
export class Link {
	readonly #options: LinkOptions;
	readonly #agent = new HttpAgent({ connect: { timeout: connect_ms } });
	readonly #authorization: Readonly<Record<string, string>>;

	constructor(options: LinkOptions) {
		this.#options = options;
		const { key } = options;
		this.#authorization = key === undefined ? {} : { authorization: `Bearer ${key}` };
	}

	/** Sends a request; resolves with the response's head, its body still to be read. */
	async send(parts: LinkRequest): Promise<LinkOutcome> {
		const { clock } = this.#options;
		const give_up_ms = clock.monotonic() + patience_ms;
		let pause_ms = pause_first_ms;
		for (let attempt = 0; ; attempt += 1) {
			const outcome = await this.#sendOnce(parts, attempt > 0);
			const again = outcome === "absent" || (outcome === "lost" && parts.repeatable);
			if (!again) return this.#final(outcome);
			if (clock.monotonic() + pause_ms > give_up_ms) return this.#final(outcome);
			try {
				await sleep(clock, pause_ms, parts.signal);
			} catch {
				return this.#final("aborted");
			}
			pause_ms = Math.min(pause_ms * 2, pause_max_ms);
		}
	}

	/** Cuts what is still open. */
	async close(): Promise<void> {
		await this.#agent.close();
	}

	#final(outcome: LinkResponse | LinkProblem["kind"]): LinkOutcome {
		if (typeof outcome !== "string") return succeed(outcome);
		return fail({ kind: outcome, detail: details[outcome] });
	}

	async #sendOnce(parts: LinkRequest, fresh: boolean): Promise<LinkResponse | LinkProblem["kind"]> {
		const url = await this.#options.locate(fresh);
		if (parts.signal.aborted) return "aborted";
		if (url === undefined) return "absent";
		try {
			const response = await this.#agent.request(url, {
				method: parts.method,
				headers: { ...parts.headers, ...this.#authorization },
				signal: parts.signal,
				// How long an answer may take is the gateway's to decide.
				headersTimeout: 0,
				bodyTimeout: 0,
				...(parts.body === undefined ? {} : { body: parts.body }),
			});
			const { statusCode: status, headers, body } = response;
			if (status !== 503) return { status, headers, body };
			// A gateway that stops turns requests away before anything is done for them; any other
			// JSON-RPC message under this status is an answer.
			const bytes = Buffer.from(await body.arrayBuffer());
			return isAnswer(bytes) ? { status, headers, body: once(bytes) } : "absent";
		} catch (error) {
			if (parts.signal.aborted) return "aborted";
			return neverConnected(error) ? "absent" : "lost";
		}
	}
}

const details: Readonly<Record<LinkProblem["kind"], string>> = {
	absent: "No Moorage gateway is running. Start one with `moorage up` and try again.",
	lost: "The Moorage gateway went away before it answered; whether the request was carried out is unknown.",
	aborted: "The request was cancelled.",
};

/** Whether a 503 says something of the request itself, not only that nobody is there for it. */
function isAnswer(bytes: Buffer): boolean {
	const indexed = indexMessage(bytes);
	if (!indexed.ok) return false;
	const error = readJson(bytes, indexed.value.error?.span) as
		| { data?: { code?: unknown } }
		| undefined;
	return error?.data?.code !== "gateway_stopping";
}

async function* once(bytes: Buffer): AsyncGenerator<Buffer> {
	yield bytes;
}

/** Errors of the time before there was a connection: nothing can have been sent. */
function neverConnected(error: unknown): boolean {
	const { code, syscall } = error as NodeJS.ErrnoException;
	return syscall === "connect" || syscall === "getaddrinfo" || code === "UND_ERR_CONNECT_TIMEOUT";
}
