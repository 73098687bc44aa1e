import type { Clock } from "../lib/clock.ts";
import { clean_recovery, type Recovery } from "./backoff.ts";
import type { Instance } from "./instance.ts";
import type { InstanceKey } from "./instance-key.ts";
import { describeRun } from "./instance-status.ts";
import type { Lease, LeaseUse } from "./lease.ts";
import type { PresentSlot } from "./planner.ts";
import { advance } from "./states.ts";
import type { InstanceStatus } from "./status.ts";
import { WaitingLine } from "./waiting-line.ts";

/** The states a slot goes through. */
export type SlotState = PresentSlot["state"];

/**
 * The place of one instance key: the instance that serves it now, the calls that wait for it,
 * and what went wrong before. It only remembers; server.ts decides.
 */
export class Slot {
	readonly key: InstanceKey;
	readonly line: WaitingLine;
	readonly #clock: Clock;
	#state: SlotState = "stopped";
	instance: Instance | undefined;
	recovery: Recovery = clean_recovery;
	wanted = true;
	/** Folder that outlives its instances, once one had it. */
	volume: string | undefined;
	asked_at_ms: number;
	/** True for one beside the replicas, which ends as soon as nobody needs it. */
	readonly spare: boolean;

	constructor(key: InstanceKey, clock: Clock, spare = false) {
		this.key = key;
		this.spare = spare;
		this.#clock = clock;
		this.line = new WaitingLine(clock);
		this.asked_at_ms = clock.monotonic();
	}

	get state(): SlotState {
		return this.#state;
	}

	/** Takes a step the state table allows. */
	enter(state: SlotState): void {
		this.#state = advance(this.#state, state);
	}

	/** Calls in flight on its instance, and whatever else keeps it. */
	get in_use(): number {
		return this.instance?.leases?.count ?? 0;
	}

	/** True when its instance was started with values that are no longer those of today. */
	get outdated(): boolean {
		return this.instance?.outdated === true;
	}

	/** True when its instance takes calls, if need be after a wake that costs next to nothing. */
	get usable(): boolean {
		return this.#state === "ready" || this.#state === "frozen";
	}

	/** True while nothing of it runs, and no start of it has had its turn among other starts. */
	get awaits_turn(): boolean {
		return !this.usable && this.instance?.had_turn !== true;
	}

	/** True while something needs it: a lease, a request on its way, one who waits. */
	get is_busy(): boolean {
		if (this.in_use > 0 || this.line.length > 0) return true;
		return this.usable && this.instance?.unusedSince() === undefined;
	}

	/** True while it failed and waits for its next try. */
	get is_dead(): boolean {
		return !this.usable && this.recovery.failures > 0;
	}

	/** Whether somebody else than this one could be asked through it, now or when it is ready. */
	hasOtherAsker(asker: string): boolean {
		const now = this.instance?.leases?.hasOtherAsker(asker) === true;
		return now || this.line.hasOtherAsker(asker);
	}

	/** Calls in flight and waiting. */
	get load(): number {
		return (this.instance?.leases?.calls ?? 0) + this.line.length;
	}

	/** So many calls can begin on its instance, now or when it is awake. */
	room(calls_max: number): number {
		return Math.max(0, calls_max - (this.instance?.leases?.calls ?? 0));
	}

	/** A lease on its instance, when that is awake and has room. */
	lease(use: LeaseUse, calls_max: number): Lease | undefined {
		if (this.#state !== "ready") return undefined;
		const leases = this.instance?.leases;
		if (leases === undefined || (use.kind === "call" && leases.calls >= calls_max)) {
			return undefined;
		}
		this.asked_at_ms = this.#clock.monotonic();
		return leases.take(use);
	}

	/** What the planner sees. */
	view(): PresentSlot {
		return {
			key: this.key,
			state: this.#state,
			generation: this.outdated ? -1 : (this.instance?.generation ?? 0),
			unused_since_ms: this.instance?.unusedSince(),
			can_freeze: this.instance?.sleep?.can_freeze ?? false,
			pulse: this.instance?.pulse?.view(),
			reclaimed: this.instance?.sleep?.reclaimed_bytes !== undefined,
			spare: this.spare,
			wanted: this.wanted,
			waiting: this.line.length,
			retry_at_ms: this.recovery.retry_at_ms,
			asked_at_ms: this.asked_at_ms,
		};
	}

	/** What people see. */
	status(): InstanceStatus {
		const { instance } = this;
		return {
			id: instance?.id ?? 0,
			scope_key: this.key.scope_key,
			state: this.#state,
			revision: instance?.upstream?.hello.revision,
			ready_at_ms: instance?.ready_wall_ms,
			leases: this.in_use,
			waiting: this.line.length,
			...describeRun(instance),
			volume: instance?.volume ?? this.volume,
		};
	}
}
