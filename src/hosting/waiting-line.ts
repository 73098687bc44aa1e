import type { Clock, Timer } from "../lib/clock.ts";
import { fail, type Result } from "../lib/result.ts";
import { Turns } from "../lib/turns.ts";
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
	/**
	 * Who it is, from the widest to the narrowest: tenant, person, client. On each of these levels
	 * turns are taken, so that a busy one cannot keep the others waiting.
	 */
	readonly turns: readonly string[];
	readonly use: LeaseUse;
	/** The answer when the wait is over, made when it is needed. */
	onTimeout(waited_ms: number): Fault;
	/** The answer when the caller no longer wants one. */
	onAbort(): Fault;
}

interface Waiter {
	readonly turns: readonly string[];
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
 * Those who wait for one instance; each is answered once. Tenants take turns, and the people of
 * each, and their clients; of one client, first come is first served.
 */
export class WaitingLine {
	readonly #clock: Clock;
	readonly #waiters = new Turns<Waiter>();

	constructor(clock: Clock) {
		this.#clock = clock;
	}

	get length(): number {
		return this.#waiters.size;
	}

	/** Resolves when the caller is served, refused, out of time or gone. */
	wait(options: WaitOptions): Promise<Result<Lease, Fault>> {
		const { promise, resolve } = Promise.withResolvers<Result<Lease, Fault>>();
		const now_ms = this.#clock.monotonic();
		const waiter: Waiter = {
			turns: options.turns,
			use: options.use,
			came_at_ms: now_ms,
			after_turn_ms: options.turn_ms === undefined ? undefined : options.wait_ms,
			deadline_ms: now_ms + (options.turn_ms ?? options.wait_ms),
			timer: undefined,
			answer: (outcome) => {
				if (!this.#waiters.leave(waiter.turns, waiter)) return;
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
		this.#waiters.join(waiter.turns, waiter);
		this.#watch(waiter);
		options.signal.addEventListener("abort", leave, { once: true });
		return promise;
	}

	/** Whether one waits whom the server could mistake for this one. */
	hasOtherAsker(asker: string): boolean {
		for (const { use } of this.#waiters.all()) {
			if (use.asker !== undefined && use.asker !== asker) return true;
		}
		return false;
	}

	/** Answers one after the other, each in its turn, until there is nothing more to give. */
	serve(give: (use: LeaseUse) => Result<Lease, Fault> | undefined): void {
		for (;;) {
			const waiter = this.#waiters.next();
			if (waiter === undefined) return;
			const outcome = give(waiter.use);
			if (outcome === undefined) return;
			this.#waiters.turn(waiter.turns);
			waiter.answer(outcome);
		}
	}

	/**
	 * Makes room for one of these turns in a line that is full: whoever has the most in it, and
	 * would still have more than the newcomer, gives up its latest. False where nobody has.
	 */
	makeRoom([name = ""]: readonly string[], fault: () => Fault): boolean {
		const most = this.#waiters.latestOfMost();
		if (most?.name === undefined) return false;
		if (this.#waiters.sizeOf(most.name) <= this.#waiters.sizeOf(name) + 1) return false;
		most.item.answer(fail(fault()));
		return true;
	}

	/** Everybody may wait at least this long, counted from when they came. */
	prolong(wait_ms: number): void {
		for (const waiter of this.#waiters.all()) {
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
		for (const waiter of this.#waiters.all()) {
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
		for (const waiter of [...this.#waiters.all()]) {
			if (waiter.deadline_ms <= at_ms) waiter.answer(fail(fault()));
		}
	}

	#watch(waiter: Waiter): void {
		const delay_ms = waiter.deadline_ms - this.#clock.monotonic();
		waiter.timer = this.#clock.after(delay_ms, waiter.giveUp);
	}
}
