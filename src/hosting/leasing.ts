import type { ServerPlan } from "../config/plan.ts";
import { fail, type Result, succeed } from "../lib/result.ts";
import type { Fault } from "../protocol/fault.ts";
import {
	cancelledWaiting,
	queueFull,
	stillStarting,
	tooManyInstances,
	waitedTooLong,
} from "./failure.ts";
import type { Fleet } from "./fleet.ts";
import { atPlace, type InstanceKey, no_capabilities } from "./instance-key.ts";
import type { Lease, LeaseUse } from "./lease.ts";
import { choosePlace } from "./places.ts";
import type { Slot } from "./slot.ts";
import type { Surroundings } from "./surroundings.ts";

/** Who asks for a lease. */
export interface Seeking {
	/** A session, or a person with a client: it sticks to its replica and waits its turn. */
	readonly caller?: string | undefined;
	/** Who waits in turn, from the widest to the narrowest; the caller alone where not given. */
	readonly turns?: readonly string[] | undefined;
	/** Whom the server may ask on behalf of this lease; undefined: nobody. */
	readonly asker?: string | undefined;
	/** By default a call. */
	readonly kind?: LeaseUse["kind"];
	/** True where the key names the very place: what is asked about is there and nowhere else. */
	readonly exact?: boolean;
	/** False where an instance that sleeps is not worth waking. */
	readonly wakes?: boolean;
}

/** How a caller waits for an instance. */
export interface AcquireOptions extends Seeking {
	readonly signal: AbortSignal;
	readonly wait_ms: number;
}

/** The server whose leases are given out. */
export interface LeasingOwner {
	readonly name: string;
	plan(): ServerPlan | undefined;
	/** Calls that one instance works on at a time. */
	callsMax(): number;
	/** A fault for a caller that would wait in vain for this slot, or for one not there yet. */
	refusal(slot: Slot | undefined, wait_ms: number): Fault | undefined;
	/** Somebody waits for something that may have to be started. */
	onWaiting(): void;
}

const nobody = "";

/** Gives out leases on the instances of one server: at once, or in turn. */
export class Leasing {
	readonly #around: Surroundings;
	readonly #fleet: Fleet;
	readonly #owner: LeasingOwner;

	constructor(around: Surroundings, fleet: Fleet, owner: LeasingOwner) {
		this.#around = around;
		this.#fleet = fleet;
		this.#owner = owner;
	}

	/**
	 * A lease at once, or undefined when no instance has room, or somebody waits for that. Whatever
	 * only holds it takes no room.
	 */
	tryAcquire(key: InstanceKey, seeking: Seeking): Lease | undefined {
		const plan = this.#owner.plan();
		if (plan === undefined) return undefined;
		const slot = this.#fleet.find(this.#keyFor(key, plan, seeking));
		if (slot === undefined) return undefined;
		if (slot.line.length > 0 && seeking.kind !== "hold") return undefined;
		if (slot.state === "frozen") {
			if (seeking.wakes === false) return undefined;
			this.#fleet.wake(slot);
		}
		return slot.lease(useOf(key, seeking), this.#owner.callsMax());
	}

	/** Whether the instance this caller would use is not awake, and nothing is wrong with it. */
	sleeps(key: InstanceKey, seeking: Seeking): boolean {
		const plan = this.#owner.plan();
		if (plan === undefined) return false;
		const slot = this.#fleet.find(this.#keyFor(key, plan, seeking));
		if (this.#owner.refusal(slot, 0) !== undefined || slot?.is_dead === true) return false;
		return slot?.state !== "ready";
	}

	/** A lease as soon as there is one; what has to run for it is started. */
	async acquire(key: InstanceKey, options: AcquireOptions): Promise<Result<Lease, Fault>> {
		const { random } = this.#around;
		const { name } = this.#owner;
		const plan = this.#owner.plan();
		if (options.signal.aborted || plan === undefined) return fail(cancelledWaiting(random, name));
		const own_key = this.#keyFor(key, plan, options);
		const refusal = this.#owner.refusal(this.#fleet.find(own_key), options.wait_ms);
		if (refusal !== undefined) return fail(refusal);
		const slot = this.#slotFor(own_key, plan);
		if (slot === undefined) {
			return fail(tooManyInstances(random, name, plan.instances.instances_max));
		}
		slot.wanted = true;
		slot.asked_at_ms = this.#around.clock.monotonic();
		if (slot.state === "frozen") this.#fleet.wake(slot);
		const use = useOf(key, options);
		const waits = use.kind === "call" && slot.line.length > 0;
		const lease = waits ? undefined : slot.lease(use, this.#owner.callsMax());
		return lease === undefined ? this.#wait(slot, use, plan, options) : succeed(lease);
	}

	async #wait(
		slot: Slot,
		use: LeaseUse,
		plan: ServerPlan,
		options: AcquireOptions,
	): Promise<Result<Lease, Fault>> {
		const { random } = this.#around;
		const { name } = this.#owner;
		const { queue_calls_max, queue_wait_ms } = plan.instances;
		const turns = options.turns ?? [options.caller ?? nobody];
		// Those who are served as soon as it is awake wait for no turn.
		const waiting_max = queue_calls_max + slot.room(this.#owner.callsMax());
		const full = () => queueFull(random, name, waiting_max);
		const is_full = slot.line.length >= waiting_max;
		if (is_full && !slot.line.makeRoom(turns, full)) return fail(full());
		const outcome = slot.line.wait({
			signal: options.signal,
			wait_ms: slot.usable ? queue_wait_ms : options.wait_ms,
			// Many servers that start at once take turns. Lists do not wait longer for that.
			turn_ms:
				use.kind === "call" && slot.awaits_turn ? options.wait_ms + queue_wait_ms : undefined,
			turns,
			use,
			onTimeout: (waited_ms) =>
				slot.usable
					? waitedTooLong(random, name, waited_ms)
					: stillStarting(random, name, waited_ms, slot.recovery.failure),
			onAbort: () => cancelledWaiting(random, name),
		});
		this.#owner.onWaiting();
		return outcome;
	}

	/** The slot of a key; an unused one makes room when there are too many. */
	#slotFor(key: InstanceKey, plan: ServerPlan): Slot | undefined {
		const known = this.#fleet.find(key);
		if (known !== undefined) return known;
		if (this.#fleet.size >= plan.instances.instances_max && !this.#fleet.evict()) return undefined;
		return this.#fleet.open(key, (key.place ?? 0) >= replicasOf(plan));
	}

	/** The key at the place that this caller is to use. */
	#keyFor(key: InstanceKey, plan: ServerPlan, seeking: Seeking): InstanceKey {
		const { kind, asker } = useOf(key, seeking);
		// What is held for long names its place itself, and is found there again.
		if (kind === "hold" || seeking.exact === true) return key;
		const replicas = replicasOf(plan);
		// Over HTTP a question comes on its call's own stream: there is nothing to mistake.
		const over_http = plan.spec.driver === "http";
		// Who shares a server shares what it remembers: they are not set apart for a question.
		const may_part = plan.scope !== "shared" && !over_http;
		const separate = this.#fleet.asks && asker !== undefined && may_part;
		if (replicas === 1 && !separate) return key;
		const find = (place: number) => this.#fleet.find(atPlace(key, place));
		const place = choosePlace(
			{
				caller: seeking.caller,
				replicas,
				shuns: (at) => separate && find(at)?.hasOtherAsker(asker) === true,
				room: plan.instances.instances_max - this.#fleet.size,
			},
			(at) => {
				const slot = find(at);
				if (slot === undefined) return undefined;
				return { dead: slot.is_dead, runs: slot.usable, load: slot.load };
			},
		);
		return atPlace(key, place);
	}
}

function replicasOf({ scope, instances }: ServerPlan): number {
	return scope === "shared" ? instances.replicas : 1;
}

/** Nobody can be asked through an instance that was told that its clients can do nothing. */
function useOf(key: InstanceKey, { kind = "call", asker }: Seeking): LeaseUse {
	return key.capabilities === no_capabilities ? { kind } : { kind, asker };
}
