import type { Clock, Timer } from "../lib/clock.ts";
import { fail, type Result } from "../lib/result.ts";
import type { Fault } from "../protocol/fault.ts";
import type { Lease, LeaseUse } from "./lease.ts";

/** What a caller that waits brings along. */
export interface WaitOptions {
	readonly signal: AbortSignal;
	readonly wait_ms: number;
	/**
	 * What the wait may take in all as long as the start it is for has not had its turn among other
	 * starts; `wait_ms` begins with that turn. Undefined where nothing has to wait for a turn.
	 */
	readonly turn_ms?: number | undefined;
	/** Who it is: callers take turns, so that a busy one cannot keep the others waiting. */
	readonly caller: string;
	readonly use: LeaseUse;
	/** The answer when the wait is over, made when it is needed. */
	onTimeout(waited_ms: number): Fault;
	/** The answer when the caller no longer wants one. */
	onAbort(): Fault;
}

interface Waiter {
	readonly caller: string;
	readonly use: LeaseUse;
	readonly came_at_ms: number;
	/** From the turn of its start on; undefined once that was. */
	after_turn_ms: number | undefined;
	/** On the monotonic scale. */
	deadline_ms: number;
	timer: Timer | undefined;
	readonly answer: (outcome: Result<Lease, Fault>) => void;
	readonly giveUp: () => void;
}

/**
 * Those who wait for one instance; each is answered once. Of one caller, first come is first
 * served; different callers take turns.
 */
export class WaitingLine {
	readonly #clock: Clock;
	/** By caller, the one whose turn is next first. */
	readonly #callers = new Map<string, Set<Waiter>>();
	#length = 0;

	constructor(clock: Clock) {
		this.#clock = clock;
	}

	get length(): number {
		return this.#length;
	}

	/** Resolves when the caller is served, refused, out of time or gone. */
	wait(options: WaitOptions): Promise<Result<Lease, Fault>> {
		const { promise, resolve } = Promise.withResolvers<Result<Lease, Fault>>();
		const now_ms = this.#clock.monotonic();
		const waiter: Waiter = {
			caller: options.caller,
			use: options.use,
			came_at_ms: now_ms,
			after_turn_ms: options.turn_ms === undefined ? undefined : options.wait_ms,
			deadline_ms: now_ms + (options.turn_ms ?? options.wait_ms),
			timer: undefined,
			answer: (outcome) => {
				if (!this.#leave(waiter)) return;
				waiter.timer?.cancel();
				options.signal.removeEventListener("abort", leave);
				resolve(outcome);
			},
			giveUp: () => {
				const waited_ms = Math.round(this.#clock.monotonic() - waiter.came_at_ms);
				waiter.answer(fail(options.onTimeout(waited_ms)));
			},
		};
		const leave = () => waiter.answer(fail(options.onAbort()));
		this.#join(waiter);
		this.#watch(waiter);
		options.signal.addEventListener("abort", leave, { once: true });
		return promise;
	}

	/** Whether one waits whom the server could mistake for this one. */
	hasOtherAsker(asker: string): boolean {
		return this.#all().some(({ use }) => use.asker !== undefined && use.asker !== asker);
	}

	/** Answers one after the other, each in its turn, until there is nothing more to give. */
	serve(give: (use: LeaseUse) => Result<Lease, Fault> | undefined): void {
		for (;;) {
			const waiter = this.#next();
			if (waiter === undefined) return;
			const outcome = give(waiter.use);
			if (outcome === undefined) return;
			this.#turn(waiter.caller);
			waiter.answer(outcome);
		}
	}

	/** Everybody may wait at least this long, counted from when they came. */
	prolong(wait_ms: number): void {
		for (const waiter of this.#all()) {
			const deadline_ms = waiter.came_at_ms + wait_ms;
			if (deadline_ms <= waiter.deadline_ms) continue;
			waiter.deadline_ms = deadline_ms;
			waiter.timer?.cancel();
			this.#watch(waiter);
		}
	}

	/** The start that they wait for has its turn: how long it may take counts from now. */
	begin(): void {
		const now_ms = this.#clock.monotonic();
		for (const waiter of this.#all()) {
			const { after_turn_ms } = waiter;
			if (after_turn_ms === undefined) continue;
			waiter.after_turn_ms = undefined;
			waiter.deadline_ms = Math.min(waiter.deadline_ms, now_ms + after_turn_ms);
			waiter.timer?.cancel();
			this.#watch(waiter);
		}
	}

	/** Answers those who cannot wait until `at_ms` (monotonic); the others stay. */
	refuseBefore(at_ms: number, fault: () => Fault): void {
		for (const waiter of this.#all()) {
			if (waiter.deadline_ms <= at_ms) waiter.answer(fail(fault()));
		}
	}

	#watch(waiter: Waiter): void {
		const delay_ms = waiter.deadline_ms - this.#clock.monotonic();
		waiter.timer = this.#clock.after(delay_ms, waiter.giveUp);
	}

	#all(): Waiter[] {
		return [...this.#callers.values()].flatMap((waiters) => [...waiters]);
	}

	#next(): Waiter | undefined {
		for (const waiters of this.#callers.values()) {
			for (const waiter of waiters) return waiter;
		}
		return undefined;
	}

	/** A caller that was served waits behind the others. */
	#turn(caller: string): void {
		const waiters = this.#callers.get(caller);
		if (waiters === undefined) return;
		this.#callers.delete(caller);
		this.#callers.set(caller, waiters);
	}

	#join(waiter: Waiter): void {
		const waiters = this.#callers.get(waiter.caller);
		if (waiters === undefined) this.#callers.set(waiter.caller, new Set([waiter]));
		else waiters.add(waiter);
		this.#length += 1;
	}

	#leave(waiter: Waiter): boolean {
		const waiters = this.#callers.get(waiter.caller);
		if (waiters === undefined || !waiters.delete(waiter)) return false;
		if (waiters.size === 0) this.#callers.delete(waiter.caller);
		this.#length -= 1;
		return true;
	}
}
