import type { Clock } from "../lib/clock.ts";
import type { FaultCode } from "../protocol/fault.ts";
import type { Upstream } from "../upstreams/driver.ts";
import { composeDiscover, composePing } from "../upstreams/handshake.ts";

/** A sign of life is waited for this long at most. */
export const answer_ms_max = 5_000;

/** It says nothing, or does not even read what it is asked. */
const silent: ReadonlySet<FaultCode> = new Set(["call_timeout", "queue_full"]);

/** What the planner sees of it. */
export interface PresentPulse {
	/** When it last answered, or was last asked for a sign of life in vain. */
	readonly since_ms: number;
	readonly asking: boolean;
	/** Signs of life it has not given, one after the other. */
	readonly unanswered: number;
}

/** Whether a running instance still answers: what it says by itself counts, else it is asked. */
export class Pulse {
	readonly #upstream: Upstream;
	readonly #clock: Clock;
	/** What was counted of the upstream's answers when this was looked at last. */
	#answers: number | undefined;
	#since_ms: number;
	#unanswered = 0;
	#asking: AbortController | undefined;
	#paused = false;

	constructor(upstream: Upstream, clock: Clock) {
		this.#upstream = upstream;
		this.#clock = clock;
		this.#answers = upstream.answers;
		this.#since_ms = clock.monotonic();
	}

	/** Requests of its own that are on their way: they are no use of the instance. */
	get in_flight(): number {
		return this.#asking === undefined ? 0 : 1;
	}

	/** Signs of life it has not given, one after the other. */
	get unanswered(): number {
		return this.#unanswered;
	}

	/** What there is to see now; undefined while it sleeps and cannot answer. */
	view(): PresentPulse | undefined {
		if (this.#paused) return undefined;
		if (this.#upstream.answers !== this.#answers) this.#answered();
		const { in_flight } = this;
		return {
			since_ms: this.#since_ms,
			asking: in_flight > 0,
			unanswered: this.#unanswered,
		};
	}

	/** Asks for a sign of life, and calls back when there is one, or the time for it is over. */
	ask(wait_ms: number, onDone: () => void): void {
		const cancel = new AbortController();
		this.#asking = cancel;
		const modern = this.#upstream.hello.era === "modern";
		const request = {
			message: modern ? composeDiscover() : composePing(),
			edits: [],
			name: undefined,
			signal: cancel.signal,
			call_ms: Math.min(wait_ms, answer_ms_max),
		};
		void this.#upstream.request(request).then((outcome) => {
			// It was put to sleep or ended meanwhile: that says nothing about it.
			if (this.#asking !== cancel) return;
			this.#asking = undefined;
			this.#since_ms = this.#clock.monotonic();
			const spoke = this.#upstream.answers !== this.#answers;
			if (spoke || outcome.ok) this.#answered();
			else if (silent.has(outcome.problem.code)) this.#unanswered += 1;
			onDone();
		});
	}

	/** It cannot answer from now on, and nobody may hold that against it. */
	pause(): void {
		this.#paused = true;
		const asking = this.#asking;
		this.#asking = undefined;
		asking?.abort();
	}

	/**
	 * It can answer again, and has all its time for it. What it owed before it slept it owes still:
	 * otherwise one that hangs would be forgiven each time its callers give up and it is frozen.
	 */
	resume(): void {
		this.#paused = false;
		this.#since_ms = this.#clock.monotonic();
	}

	#answered(): void {
		this.#answers = this.#upstream.answers;
		this.#since_ms = this.#clock.monotonic();
		this.#unanswered = 0;
	}
}
