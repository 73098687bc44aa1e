import type { Clock } from "../lib/clock.ts";
import { fail, type Result } from "../lib/result.ts";
import type { Fault } from "../protocol/fault.ts";
import type { Lease } from "./lease.ts";

/** What a caller that waits brings along. */
export interface WaitOptions {
	readonly signal: AbortSignal;
	readonly wait_ms: number;
	/** The answer when the wait is over, made when it is needed. */
	onTimeout(): Fault;
	/** The answer when the caller no longer wants one. */
	onAbort(): Fault;
}

interface Waiter {
	/** On the monotonic scale. */
	readonly deadline_ms: number;
	readonly answer: (outcome: Result<Lease, Fault>) => void;
}

/** Callers that wait for one instance, first come first served; each is answered once. */
export class WaitingLine {
	readonly #clock: Clock;
	readonly #waiters = new Set<Waiter>();

	constructor(clock: Clock) {
		this.#clock = clock;
	}

	get length(): number {
		return this.#waiters.size;
	}

	/** Resolves when the caller is served, refused, out of time or gone. */
	wait(options: WaitOptions): Promise<Result<Lease, Fault>> {
		const { promise, resolve } = Promise.withResolvers<Result<Lease, Fault>>();
		const waiter: Waiter = {
			deadline_ms: this.#clock.monotonic() + options.wait_ms,
			answer: (outcome) => {
				if (!this.#waiters.delete(waiter)) return;
				timer.cancel();
				options.signal.removeEventListener("abort", leave);
				resolve(outcome);
			},
		};
		const leave = () => waiter.answer(fail(options.onAbort()));
		const timer = this.#clock.after(options.wait_ms, () =>
			waiter.answer(fail(options.onTimeout())),
		);
		this.#waiters.add(waiter);
		options.signal.addEventListener("abort", leave, { once: true });
		return promise;
	}

	/** Answers everybody, in the order in which they came. */
	serve(give: () => Result<Lease, Fault>): void {
		for (const waiter of [...this.#waiters]) waiter.answer(give());
	}

	/** Answers those who cannot wait until `at_ms` (monotonic); the others stay. */
	refuseBefore(at_ms: number, fault: () => Fault): void {
		for (const waiter of [...this.#waiters]) {
			if (waiter.deadline_ms <= at_ms) waiter.answer(fail(fault()));
		}
	}
}
