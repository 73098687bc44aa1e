import type { Clock } from "../lib/clock.ts";
import { fail, type Result } from "../lib/result.ts";
import type { Fault } from "../protocol/fault.ts";
import type { Message } from "../wire/message.ts";
import { type Awaited, Deadlines } from "./deadlines.ts";
import type { UpstreamRequest } from "./driver.ts";
import type { UpstreamFaults } from "./faults.ts";
import { RecentCalls } from "./recent-calls.ts";

/** How a call ended. */
export type Outcome = Result<Message, Fault>;

/**
 * One request that has been accepted and not yet answered.
 *
 *     add ──> waiting ──written = true──> sent ──settle──> settled
 *                └──────────────settle──────────────────────┘
 *
 * Whatever comes first settles it: the reply, the client's cancellation, the deadline or the
 * end of the connection. Everything after that finds no call any more.
 */
export class PendingCall implements Awaited {
	/** The request id and the progress token on this hop. */
	readonly id: number;
	readonly request: UpstreamRequest;
	/** Resolves when the call is settled; never rejects. */
	readonly outcome: Promise<Outcome>;
	/** The client's own progress token as raw JSON, if it asked for progress. */
	token: string | undefined = undefined;
	/** True once the server may have seen the request. */
	written = false;
	settled = false;
	/** Requests of the server that this call caused and that wait for an answer. */
	asks_open = 0;
	/** True while no more is read of it because its client is behind. */
	is_held = false;
	/** Ends what the transport does for this call; set by a transport that needs it. */
	stop: (() => void) | undefined = undefined;
	patience_ms: number;
	due_ms = 0;
	sooner: Awaited | undefined = undefined;
	later: Awaited | undefined = undefined;
	/** Only `PendingCalls` calls these. */
	resolve!: (outcome: Outcome) => void;
	abandon: (() => void) | undefined = undefined;

	constructor(id: number, request: UpstreamRequest) {
		this.id = id;
		this.request = request;
		this.patience_ms = request.call_ms;
		this.outcome = new Promise((resolve) => {
			this.resolve = resolve;
		});
	}
}

/** What the calls of one connection need. */
export interface PendingOptions {
	readonly clock: Clock;
	readonly faults: UpstreamFaults;
	/** The caller gave up on a call, which is settled now: tell the server to stop. */
	onGivenUp(call: PendingCall): void;
}

/** How long a call may wait while the server waits for an answer of its client. */
const ask_ms_max = 600_000;

/** The calls in flight on one connection. Each is settled exactly once. */
export class PendingCalls {
	readonly #options: PendingOptions;
	readonly #calls = new RecentCalls<PendingCall>();
	readonly #deadlines: Deadlines<PendingCall>;
	readonly #drained = new Set<() => void>();
	#last_id = 0;
	/** Subscriptions among the calls. */
	#listens = 0;

	constructor(options: PendingOptions) {
		this.#options = options;
		this.#deadlines = new Deadlines(options.clock, (call) => {
			const { faults } = options;
			const { is_held, patience_ms } = call;
			const fault = is_held ? faults.unread(call, patience_ms) : faults.timeout(call, patience_ms);
			this.#giveUp(call, fault);
		});
	}

	/**
	 * Requests accepted and not yet settled. A subscription is not counted: it stays open for
	 * ever, and is no work of the server's.
	 */
	get size(): number {
		return this.#calls.size - this.#listens;
	}

	/** Accepts a request under an id of its own. Its signal must not have aborted yet. */
	add(request: UpstreamRequest): PendingCall {
		this.#last_id += 1;
		const call = new PendingCall(this.#last_id, request);
		this.#calls.add(call);
		if (isListen(call)) this.#listens += 1;
		this.#deadlines.add(call);
		// By a name: V8 makes a function old from the start where it is assigned to a property as it is
		// written, and what it points at lives on with it until the whole heap is gone through.
		const abandon = () => this.#giveUp(call, this.#options.faults.cancelled(call));
		call.abandon = abandon;
		request.signal.addEventListener("abort", abandon);
		return call;
	}

	/** The call of this id, while it is in flight. */
	get(id: number | undefined): PendingCall | undefined {
		return id === undefined ? undefined : this.#calls.get(id);
	}

	/**
	 * The call in flight, when there is exactly one that somebody waits for. What the gateway
	 * asks for itself (lists, levels, subscriptions) causes neither questions nor messages.
	 */
	only(): PendingCall | undefined {
		let only: PendingCall | undefined;
		for (const call of this.#calls.all()) {
			if (!isOfClient(call)) continue;
			if (only !== undefined) return undefined;
			only = call;
		}
		return only;
	}

	/** The call in flight that is alone on its connection; no subscription is open beside it. */
	sole(): PendingCall | undefined {
		if (this.#calls.size !== 1) return undefined;
		const [call] = this.#calls.all();
		return call;
	}

	/** Ends a call. False when it had already ended: the outcome is then of no use. */
	settle(call: PendingCall, outcome: Outcome): boolean {
		if (call.settled) return false;
		call.settled = true;
		this.#calls.delete(call);
		if (isListen(call)) this.#listens -= 1;
		this.#deadlines.remove(call);
		if (call.abandon !== undefined) {
			call.request.signal.removeEventListener("abort", call.abandon);
			call.abandon = undefined;
		}
		call.resolve(outcome);
		if (this.size === 0 && this.#drained.size > 0) this.#tellDrained();
		return true;
	}

	/** The server shows that it is at work: the call gets its whole time again. */
	progressed(call: PendingCall): void {
		if (!call.settled) this.#deadlines.restart(call);
	}

	/** The server waits for its client: that time is not the server's, but has a limit too. */
	asked(call: PendingCall): void {
		call.asks_open += 1;
		if (!call.settled) this.#deadlines.restart(call, Math.max(ask_ms_max, call.request.call_ms));
	}

	/** The server has been answered; its own time begins again. */
	answered(call: PendingCall): void {
		call.asks_open -= 1;
		if (call.settled || call.asks_open > 0) return;
		this.#deadlines.restart(call, call.request.call_ms);
	}

	/** No more is read of a call, because its client is behind: that is no time of the server's. */
	held(call: PendingCall): void {
		call.is_held = true;
		this.asked(call);
	}

	/** Its client has caught up; the server's own time begins again. */
	letGo(call: PendingCall): void {
		call.is_held = false;
		this.answered(call);
	}

	/** Settles every call with a fault of its own. */
	failAll(faultOf: (call: PendingCall) => Fault): void {
		for (const call of this.#calls.all()) {
			if (this.settle(call, fail(faultOf(call)))) call.stop?.();
		}
		this.#deadlines.stop();
	}

	/** Resolves when nothing is in flight, or after `wait_ms`. */
	drain(wait_ms: number): Promise<void> {
		if (this.size === 0) return Promise.resolve();
		return new Promise((resolve) => {
			const timer = this.#options.clock.after(wait_ms, () => done());
			const done = () => {
				timer.cancel();
				this.#drained.delete(done);
				resolve();
			};
			this.#drained.add(done);
		});
	}

	#giveUp(call: PendingCall, fault: Fault): void {
		if (!this.settle(call, fail(fault))) return;
		call.stop?.();
		this.#options.onGivenUp(call);
	}

	#tellDrained(): void {
		for (const done of [...this.#drained]) done();
	}
}

function isListen({ request }: PendingCall): boolean {
	return request.message.method === "subscriptions/listen";
}

function isOfClient(call: PendingCall): boolean {
	const { request } = call;
	if (isListen(call)) return false;
	return request.onNotification !== undefined || request.onRequest !== undefined;
}
