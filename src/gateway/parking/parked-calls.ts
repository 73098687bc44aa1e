import { partsOfPrincipal } from "../../identity/principal.ts";
import type { Clock, Timer } from "../../lib/clock.ts";
import type { Random } from "../../lib/random.ts";
import { Admission, type Seat } from "../admission.ts";
import type { ModernRun } from "./modern-run.ts";
import { openState, type SealedState, sealState } from "./seal.ts";

/** How many calls may wait for their clients at once, and for how long. */
export const parked_calls_max = 1000;
export const parked_ms = 10 * 60 * 1000;

/** What a parked call is bound to: only the same request of the same caller continues it. */
export interface ParkedFor {
	readonly principal: string;
	/** See `requestDigest`. */
	readonly request: string;
}

/** Why a state opens no parked call. */
export type ResumeProblem =
	/** Not sealed by us, altered, or of another caller or request. */
	| "invalid"
	/** Ours, but its time is over, its round was answered, or the call is gone. */
	| "over";

interface Parked {
	readonly run: ModernRun;
	readonly owner: ParkedFor;
	readonly timer: Timer;
	readonly seat: Seat;
}

/** The calls that wait for a modern client's answers, by the state the client carries. */
export class ParkedCalls {
	readonly #clock: Clock;
	readonly #random: Random;
	readonly #key: Buffer;
	readonly #parked = new Map<string, Parked>();
	readonly #room = new Admission();

	constructor(options: { clock: Clock; random: Random; key: Buffer }) {
		this.#clock = options.clock;
		this.#random = options.random;
		this.#key = options.key;
	}

	/** Calls parked now. */
	get count(): number {
		return this.#parked.size;
	}

	/** True when no further call can be parked. */
	get full(): boolean {
		return this.#parked.size >= parked_calls_max;
	}

	/**
	 * Whether a call of somebody may be parked. Where tenants share the room, one may park another as
	 * long as it has fewer there than there is room for.
	 */
	mayPark(principal: string, is_shared: boolean): boolean {
		const free = parked_calls_max - this.#parked.size;
		if (free <= 0) return false;
		return !is_shared || this.#room.heldBy(tenantOf(principal)) < free;
	}

	/** Parks a call under its id and gives the state that continues it. */
	park(id: string, run: ModernRun, owner: ParkedFor): string {
		const timer = this.#clock.afterIdle(parked_ms, () => {
			this.#leave(id);
			run.cancel();
		});
		const seat = this.#room.take(tenantOf(owner.principal));
		this.#parked.set(id, { run, owner, timer, seat });
		return this.#seal({ call: id, round: run.round, ...this.#bound(owner) });
	}

	/** A state for a request that has nothing parked and is simply sent again. */
	sealRetry(owner: ParkedFor): string {
		return this.#seal({ call: "", round: 0, ...this.#bound(owner) });
	}

	/**
	 * Takes the call a state continues out of the parking; the same state works once.
	 * `again` means that nothing was parked: the request is simply run anew.
	 */
	take(state: string, asker: ParkedFor): ModernRun | "again" | ResumeProblem {
		const opened = openState(state, this.#key);
		if (opened === undefined || !isFor(opened, asker)) return "invalid";
		if (opened.expires_at_ms <= this.#clock.now()) return "over";
		if (opened.call === "") return "again";
		const parked = this.#parked.get(opened.call);
		if (parked === undefined || parked.run.round !== opened.round) return "over";
		parked.timer.cancel();
		this.#leave(opened.call);
		return parked.run;
	}

	/** Gives up every parked call; their servers are told to stop. */
	close(): void {
		for (const [id, { run, timer }] of [...this.#parked]) {
			timer.cancel();
			this.#leave(id);
			run.cancel();
		}
	}

	#leave(id: string): void {
		const parked = this.#parked.get(id);
		if (parked === undefined) return;
		this.#parked.delete(id);
		this.#room.leave(parked.seat);
	}

	#bound(owner: ParkedFor) {
		return { ...owner, expires_at_ms: this.#clock.now() + parked_ms };
	}

	#seal(state: SealedState): string {
		return sealState(state, this.#key, this.#random);
	}
}

function tenantOf(principal: string): string {
	return partsOfPrincipal(principal).tenant;
}

function isFor(state: SealedState, asker: ParkedFor): boolean {
	return state.principal === asker.principal && state.request === asker.request;
}
