import type { Clock, Timer } from "../lib/clock.ts";
import { TokenBuckets } from "../lib/token-buckets.ts";
import type { AnsweredRequest } from "../telemetry/call-record.ts";

/** Lines of one kind at once, and how fast more of them may come. */
const rate = { calls: 1, per_ms: 1_000, burst: 60 };
/** How long those that came too fast are added up before a line stands for them. */
const gather_ms = 60_000;
/** Kinds that are told apart; the rest is one of them. */
const kinds_max = 1_000;

/** Requests of one kind that have no line of their own yet. */
interface Surplus {
	last: AnsweredRequest;
	requests: number;
}

/**
 * Keeps requests that are refused without an end from filling the disk and driving calls out of the
 * history: of those at one address with one code a few have a line each, and what comes faster has
 * one line a minute that counts them. What went well is let through: it has a limit of its own.
 */
export class AnsweredRequests {
	readonly #clock: Clock;
	readonly #write: (request: AnsweredRequest) => void;
	readonly #buckets: TokenBuckets;
	readonly #surplus = new Map<string, Surplus>();
	#timer: Timer | undefined;

	constructor(clock: Clock, write: (request: AnsweredRequest) => void) {
		this.#clock = clock;
		this.#write = write;
		this.#buckets = new TokenBuckets(rate, clock, kinds_max);
	}

	/** Writes a request down, or counts it for later. */
	take(request: AnsweredRequest): void {
		if (request.status === "ok") return this.#write(request);
		const kind = `${request.code} ${request.is_offered ? request.endpoint : ""}`;
		if (this.#buckets.wait(kind) === 0) {
			this.#buckets.take(kind);
			return this.#write(request);
		}
		const key = this.#surplus.size < kinds_max || this.#surplus.has(kind) ? kind : "";
		const counted = this.#surplus.get(key);
		if (counted === undefined) this.#surplus.set(key, { last: request, requests: 1 });
		else {
			counted.last = request;
			counted.requests += 1;
		}
		this.#timer ??= this.#clock.afterIdle(gather_ms, () => this.flush());
	}

	/** Writes a line for each kind that was counted. */
	flush(): void {
		this.#timer?.cancel();
		this.#timer = undefined;
		const now_ms = this.#clock.now();
		for (const { last, requests } of this.#surplus.values()) {
			// Of many it is not known whose they were; where there was but one, it is itself.
			this.#write(requests === 1 ? last : { ...last, ...of_many, ts_ms: now_ms, requests });
		}
		this.#surplus.clear();
	}
}

/** What differs from one request to another, and so is nothing of them all. */
const of_many = {
	method: "*",
	request_id: "null",
	parent_span_id: undefined,
	tenant: undefined,
	user: undefined,
	client_id: undefined,
	client_name: undefined,
	client_version: undefined,
	client_revision: undefined,
	client_era: undefined,
	session_id: undefined,
	error_id: undefined,
	duration_ms: 0,
	input_bytes: 0,
	output_bytes: 0,
} as const;
